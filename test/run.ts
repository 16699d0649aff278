import { once } from 'node:events'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'
import { killChild } from './runner/processes.ts'
import {
  countOverdue,
  countTest,
  createTally,
  formatSummary,
  mergeRetry,
  type Tally,
} from './runner/summary.ts'

/*
 * `npm test`: Node's own test runner over all files, or over those that are named; a limit for each file, so that
 * nothing hangs; and the last lines say what was skipped and why. With `--retries=1` a file with a failure runs once more,
 * alone; a test that passes then is reported as flaky and does not fail the run.
 */

/**
 * Files that take long come first, so that the run does not end with one of them and a core that has nothing to do. Those
 * that wait come beside those that compute.
 */
const EVERYTHING = [
  'test/image/codeship*.test.ts',
  'test/integration/{leaks,fault-matrix,watch,option-matrix,started,paging,gate}.test.ts',
  'test/integration/shell-script/*.test.ts',
  'test/runner/unit-tests.ts',
  'test/chaos/*.test.ts',
  'test/image/*.test.ts',
  'test/integration/{fleet,page,spool,run,relay}/*.test.ts',
  'test/integration/**/*.test.ts',
]
/** Files that run at a time on each core: most of them wait more than they compute. */
const FILES_PER_CORE = 2
/** Several times what the slowest test and the slowest file take on a busy machine. */
const TEST_LIMIT_MS = 900_000
const FILE_LIMIT_S = 1200
/** After this the runner gives up a file whose processes it has killed: something else holds its output open. */
const GRACE_MS = 30_000

// The machine's proxy must not see what the tests send to themselves with curl, wget or Python.
for (const name of ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy', 'node_use_env_proxy'])
  for (const variable of [name, name.toUpperCase()]) delete process.env[variable]

const { values, positionals } = parseArgs({
  options: {
    'file-limit': { type: 'string', default: String(FILE_LIMIT_S) },
    retries: { type: 'string', default: '0' },
  },
  allowPositionals: true,
})
const fileLimitMs = Number(values['file-limit']) * 1000
const patterns = positionals.length > 0 ? positionals : EVERYTHING
const files = [...new Set(patterns.flatMap((pattern) => globSync(pattern).toSorted()))].map((file) =>
  resolve(file),
)
if (files.length === 0) {
  process.stderr.write(`no test file matches ${positionals.join(' ')}\n`)
  process.exit(64)
}

let tally = await runFiles(files, FILES_PER_CORE * Math.max(2, availableParallelism()))
for (let retry = 0; retry < Number(values.retries) && tally.failed.length > 0; retry += 1) {
  process.stdout.write(
    `\n${formatSummary(tally)}\nThe files with a failure run again, one after the other.\n\n`,
  )
  tally = mergeRetry(tally, await runFiles([...tally.failedFiles], 1))
}
finish(tally)

/** Runs test files, so many at a time, and prints what they report. */
async function runFiles(paths: readonly string[], concurrency: number): Promise<Tally> {
  const counted = createTally()
  const overdue = new Map<string, NodeJS.Timeout>()
  const killed = new Set<string>()
  const stream = run({ files: paths, concurrency, timeout: TEST_LIMIT_MS })
  stream.on('test:dequeue', ({ name, file }) => {
    if (name === file) overdue.set(file, setTimeout(endFile, fileLimitMs, file))
  })
  stream.on('test:complete', ({ name, file }) => {
    if (name === file) clearTimeout(overdue.get(file))
  })
  stream.on('test:pass', (test) => countTest(counted, test, true))
  stream.on('test:fail', (test) => {
    if (!killed.has(test.name)) countTest(counted, test, false)
  })
  const report = stream.pipe(spec())
  report.pipe(process.stdout, { end: false })
  await once(report, 'end')
  return counted

  /** Kills a file that hangs, and the whole run if that does not help. */
  function endFile(file: string): void {
    countOverdue(counted, file, fileLimitMs / 1000)
    killed.add(file)
    killChild(file)
    const giveUp = setTimeout(() => {
      process.stderr.write(`${file} left processes that hold its output open: the run ends here\n`)
      finish(counted)
      process.exit(1)
    }, GRACE_MS)
    overdue.set(file, giveUp)
  }
}

function finish(ended: Tally): void {
  process.stdout.write(`\n${formatSummary(ended)}`)
  process.exitCode = ended.failed.length > 0 ? 1 : 0
}
