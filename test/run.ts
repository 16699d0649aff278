import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { relative, resolve } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'
import { killChild } from './runner/processes.ts'
import { countTest, createTally, formatSummary } from './runner/summary.ts'

/*
 * `npm test`: Node's own test runner over all files, or over those that are named; a limit for each file, so that
 * nothing hangs; and the last lines say what was skipped and why.
 */

const EVERYTHING = [
  'test/unit/**/*.test.ts',
  'test/integration/**/*.test.ts',
  'test/chaos/*.test.ts',
  'test/image/**/*.test.ts',
]
/** Several times what the slowest test and the slowest file take on a busy machine. */
const TEST_LIMIT_MS = 600_000
const FILE_LIMIT_S = 900
/** After this the runner gives up a file whose processes it has killed: something else holds its output open. */
const GRACE_MS = 30_000

// The machine's proxy must not see what the tests send to themselves with curl, wget or Python.
for (const name of ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy', 'node_use_env_proxy'])
  for (const variable of [name, name.toUpperCase()]) delete process.env[variable]

const { values, positionals } = parseArgs({
  options: { 'file-limit': { type: 'string', default: String(FILE_LIMIT_S) } },
  allowPositionals: true,
})
const fileLimitMs = Number(values['file-limit']) * 1000
const files = globSync(positionals.length > 0 ? positionals : EVERYTHING).map((file) => resolve(file))
if (files.length === 0) {
  process.stderr.write(`no test file matches ${positionals.join(' ')}\n`)
  process.exit(64)
}

const tally = createTally()
const overdue = new Map<string, NodeJS.Timeout>()
const killed = new Set<string>()
const stream = run({ files, concurrency: Math.max(2, availableParallelism()), timeout: TEST_LIMIT_MS })

stream.on('test:dequeue', ({ name, file }) => {
  if (name === file)
    overdue.set(
      file,
      setTimeout(() => endFile(file), fileLimitMs),
    )
})
stream.on('test:complete', ({ name, file }) => {
  if (name === file) clearTimeout(overdue.get(file))
})
stream.on('test:pass', (test) => countTest(tally, test, true))
stream.on('test:fail', (test) => {
  if (!killed.has(test.name)) countTest(tally, test, false)
})
const report = stream.pipe(spec())
report.pipe(process.stdout, { end: false })
report.once('end', finish)

function finish(): void {
  process.stdout.write(`\n${formatSummary(tally)}`)
  process.exitCode = tally.failed.length > 0 ? 1 : 0
}

/** Kills a file that hangs, and the whole run if that does not help. */
function endFile(file: string): void {
  tally.failed.push(`${relative('', file)} did not end within ${fileLimitMs / 1000} s, and was killed`)
  killed.add(file)
  killChild(file)
  const giveUp = setTimeout(() => {
    process.stderr.write(`${file} left processes that hold its output open: the run ends here\n`)
    finish()
    process.exit(1)
  }, GRACE_MS)
  overdue.set(file, giveUp)
}
