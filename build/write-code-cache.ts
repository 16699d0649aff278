import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/*
 * Creates V8's code cache for the built program by running it. The cache is valid for the Node version that runs this, on the
 * same type of processor; others ignore it.
 * usage: write-code-cache.ts DIST
 */
const dist = resolve(process.argv[2] ?? 'dist')
const cache = join(dist, 'code-cache')
const recorder = fileURLToPath(new URL('record-code-cache.ts', import.meta.url))

const stub = createServer((request, response) => {
  request.resume().on('end', () => {
    response.writeHead(202, { 'content-type': 'application/json' })
    response.end('{"status":"success","message":"Event processed","dedup_key":"warm"}')
  })
})
await once(stub.listen(0, '127.0.0.1'), 'listening')
const url = `http://127.0.0.1:${(stub.address() as AddressInfo).port}`

/** Runs the program. With a fixed seed V8 writes the same bytes every time; it can read them with any seed. */
async function run(
  args: readonly string[],
  expected: number,
  more: Record<string, string> = {},
): Promise<void> {
  const env = {
    CI_REPO_NAME: 'warm',
    CI_BRANCH: 'warm',
    PAGERDUTY_TOKEN: '0'.repeat(32),
    PAGERDUTY_EVENTS_URL: url,
    ...more,
  }
  const child = spawn(
    process.execPath,
    [
      '--random-seed=1',
      '--min-semi-space-size=256',
      '--max-semi-space-size=256',
      '--import',
      recorder,
      join(dist, 'bin.js'),
      ...args,
    ],
    {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')))
  const [status] = (await once(child, 'close')) as [number | null]
  if (status !== expected) throw new Error(`${args.join(' ')} ended with ${status}: ${said}`)
}

/** Which of its functions run depends on how fast the watched command ends. It is compiled as it is. */
const UNSTABLE = ['watch-signals.js']

async function runAll(): Promise<void> {
  // One event: which of two connections is answered first is chance.
  await run(['failure'], 0)
  // Long enough for a second attempt on every machine, however slow.
  await run(['failure', '--deadline', '3s'], 75, { PAGERDUTY_EVENTS_URL: 'https://127.0.0.1:9' })
  await run(['success', '--dry-run'], 0, { LOG_FORMAT: 'json' })
  // A dry run, because `run` may or may not have begun to prepare its connections when its command ends.
  await run(['run', '--dry-run', '--', 'true'], 0)
  await run(['serve'], 78, { PAGERDUTY_RELAY_HOST: '192.0.2.1' }) // an address that no machine has
  await run(['--help'], 0)
}

/** Records every file of the cache once. */
async function record(): Promise<void> {
  rmSync(cache, { recursive: true, force: true })
  mkdirSync(cache)
  // Twice, since some functions run only in most recordings, and what was recorded before is kept.
  for (let time = 0; time < 2; time++) await runAll()
  for (const name of UNSTABLE) rmSync(join(cache, name), { force: true })
}

// On a busy machine a run may take an unusual path through the program, so each file is recorded until four results are alike.
const ENOUGH_ALIKE = 4
const MOST_RECORDINGS = 20
/** How often each content of each file was recorded. */
const votes = new Map<string, Map<string, number>>()
const chosen = new Map<string, Buffer>()
for (let recordings = 0; recordings < MOST_RECORDINGS; recordings++) {
  await record()
  const files = readdirSync(cache)
  for (const file of files) {
    const content = readFileSync(join(cache, file))
    const digest = createHash('sha256').update(content).digest('hex')
    const counts = votes.get(file) ?? new Map<string, number>()
    const count = (counts.get(digest) ?? 0) + 1
    votes.set(file, counts.set(digest, count))
    if (count === ENOUGH_ALIKE && !chosen.has(file)) chosen.set(file, content)
  }
  if (files.every((file) => chosen.has(file))) break
}
for (const [file, content] of chosen) writeFileSync(join(cache, file), content)
stub.close()
