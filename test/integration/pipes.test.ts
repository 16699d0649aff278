import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  createReadStream,
  createWriteStream,
  openSync,
  read,
  readdirSync,
  readFileSync,
  readlinkSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startSimulator, type Simulator } from '../../tools/simulator/simulator.ts'
import { BIN, KEY, startProgram, type Program } from '../support/program.ts'
import { skipWithout } from '../support/required.ts'

/** Much less than the 30 s that a pipe's writer may take, and enough for a busy machine. */
const AT_ONCE_MS = 15_000

const directory = await mkdtemp(join(tmpdir(), 'pipes-'))
after(() => rm(directory, { recursive: true, force: true }))

function makePipe(t: TestContext): string {
  const path = join(directory, t.name.replaceAll(/\W+/g, '-'))
  execFileSync('mkfifo', [path])
  return path
}

async function setUp(
  t: TestContext,
): Promise<{ simulator: Simulator; pipe: string; env: Record<string, string> }> {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const pipe = makePipe(t)
  return { simulator, pipe, env: { PAGERDUTY_EVENTS_URL: simulator.url, PAGERDUTY_ROUTING_KEY_FILE: pipe } }
}

/** Writes a text in two parts, with a pause between them in which a reader finds nothing. */
async function writeSlowly(path: string, text: string): Promise<void> {
  const stream = createWriteStream(path)
  stream.write(text.slice(0, 9))
  await setTimeout(300)
  await new Promise<void>((resolve) => stream.end(text.slice(9), resolve))
}

/** Resolves when the program has opened the pipe. */
async function opens({ child }: Program, pipe: string): Promise<void> {
  const folder = `/proc/${child.pid}/fd`
  const isOpen = (fd: string): boolean => {
    try {
      return readlinkSync(join(folder, fd)) === pipe
    } catch {
      return false // closed in the meantime
    }
  }
  while (!readdirSync(folder).some(isOpen)) await setTimeout(20)
}

test('a key comes through a pipe whose writer takes its time', async (t) => {
  const { simulator, pipe, env } = await setUp(t)
  const program = startProgram(['trigger', '--summary', 's'], { env })
  await writeSlowly(pipe, `${KEY}\n`)
  const { code, stderr } = await program.ended
  assert.equal(code, 0, stderr)
  assert.equal(simulator.alerts.length, 1)
})

test(
  'keys and an event come through process substitutions of a shell',
  { skip: skipWithout('bash') },
  async (t) => {
    const { simulator } = await setUp(t)
    const script =
      'PAGERDUTY_ROUTING_KEY_FILE=<(sleep 0.3; printenv KEY) exec "$NODE" "$BIN" send <(sleep 0.5; printenv EVENT)'
    const shell = spawn('bash', ['-c', script], {
      stdio: 'inherit',
      env: {
        PATH: process.env['PATH'],
        NODE: process.execPath,
        BIN,
        KEY,
        EVENT: '{"event_action":"trigger","payload":{"summary":"from a shell"}}',
        PAGERDUTY_EVENTS_URL: simulator.url,
      },
    })
    const [code] = (await once(shell, 'close')) as [number]
    assert.equal(code, 0)
    assert.equal(simulator.alerts.length, 1)
  },
)

const WAITING: readonly [name: string, args: (pipe: string) => readonly string[], isKey: boolean][] = [
  ['a key', () => ['trigger', '--summary', 's'], true],
  ['an event', (pipe) => ['send', pipe], false],
  ["a relay's key", () => ['serve'], true],
]
for (const [name, args, isKey] of WAITING) {
  test(
    `SIGTERM ends the wait for ${name} from a pipe that nobody writes to`,
    { skip: skipWithout('linux') },
    async (t) => {
      const { simulator, pipe, env } = await setUp(t)
      const keyed = isKey ? env : { PAGERDUTY_EVENTS_URL: simulator.url, PAGERDUTY_TOKEN: KEY }
      const program = startProgram(args(pipe), { env: keyed })
      await opens(program, pipe)
      program.child.kill('SIGTERM')
      const run = await program.ended
      assert.equal(run.code, 143, run.stderr)
      assert.ok(run.durationMs < AT_ONCE_MS)
      assert.deepEqual(simulator.requests, [])
    },
  )
}

/** Resolves when the watched command's words have come through. */
async function comes(program: Program, words: string): Promise<void> {
  let text = ''
  await new Promise<void>((resolve) => {
    program.child.stdout.on('data', (chunk: string) => {
      text += chunk
      if (text.includes(words)) resolve()
    })
  })
}

test('output and status of a watched command pass while its key is waited for', async (t) => {
  const { simulator, pipe, env } = await setUp(t)
  const program = startProgram(['run', '--', '/bin/sh', '-c', 'echo first; read -r line; exit 3'], {
    env,
    isStdinOpen: true,
  })
  await comes(program, 'first') // the key has not come yet
  program.child.stdin.end('go\n')
  await writeSlowly(pipe, KEY)
  const { code, stderr } = await program.ended
  assert.equal(code, 3, stderr)
  assert.equal(simulator.alerts.length, 1)
})

test('a watched command is cancelled in time though nobody writes its key', async (t) => {
  const { simulator, env } = await setUp(t)
  const program = startProgram(['run', '--', '/bin/sh', '-c', 'echo first; sleep 60'], { env })
  await comes(program, 'first')
  program.child.kill('SIGTERM')
  const run = await program.ended
  assert.equal(run.code, 143, run.stderr)
  assert.match(run.stderr, /PAGERDUTY_ROUTING_KEY_FILE: .*interrupted/)
  assert.ok(run.durationMs < AT_ONCE_MS)
  assert.deepEqual(simulator.requests, [])
})

test('a pipe stays blocking for those who share it', { skip: skipWithout('linux') }, async () => {
  const env = { PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:9', PAGERDUTY_TOKEN: KEY }
  const program = startProgram(['failure', '--deadline', '30s'], { env })
  await once(program.child.stderr, 'data') // that it tries again
  const info = readFileSync(`/proc/${program.child.pid}/fdinfo/2`, 'utf8')
  program.child.kill('SIGKILL')
  await program.ended
  const [, octal = ''] = /flags:\s+(\d+)/.exec(info) ?? []
  assert.equal(Number.parseInt(octal, 8) & constants.O_NONBLOCK, 0)
})

test(
  'what a full pipe does not take at once, since somebody made it non-blocking, follows',
  { skip: skipWithout('python3') },
  async (t) => {
    const pipe = makePipe(t)
    const lines = Array.from({ length: 9000 }, (_, index) => `line ${index} of a long output`)
    const event = JSON.stringify({ payload: { summary: 's', source: 'x', custom_details: { lines } } })
    const output = openSync(pipe, constants.O_RDWR)
    const started = 'import os, sys; os.set_blocking(1, False); os.execv(sys.argv[1], sys.argv[1:])'
    const child = spawn('python3', ['-c', started, process.execPath, BIN, 'send', '--dry-run', '-'], {
      stdio: ['pipe', output, 'inherit'],
      env: { PATH: process.env['PATH'], PAGERDUTY_TOKEN: KEY },
    })
    child.stdin?.end(event)
    const reader = createReadStream(pipe)
    closeSync(output)
    let text = ''
    for await (const chunk of reader.setEncoding('utf8') as AsyncIterable<string>) text += chunk
    const { body } = JSON.parse(text) as { body: { payload: { custom_details: { lines: string[] } } } }
    assert.ok(text.length > 2 * 65_536)
    assert.deepEqual(body.payload.custom_details.lines, lines)
  },
)

test('signals end what writes more than a pipe holds, though nobody reads it', async (t) => {
  const pipe = makePipe(t)
  const output = openSync(pipe, constants.O_RDWR)
  const event = JSON.stringify({
    payload: { summary: 's', source: 'x', custom_details: { long: 'x'.repeat(200_000) } },
  })
  const child = spawn(process.execPath, [BIN, 'send', '--dry-run', '-'], {
    stdio: ['pipe', output, 'inherit'],
    env: { PATH: process.env['PATH'], PAGERDUTY_TOKEN: KEY },
  })
  child.stdin?.end(event)
  const ended = once(child, 'close')
  await new Promise((resolve) => read(output, Buffer.alloc(1), 0, 1, null, resolve)) // that it writes
  while (child.exitCode === null) {
    child.kill('SIGTERM')
    await Promise.race([ended, setTimeout(100)])
  }
  closeSync(output)
  assert.equal(child.exitCode, 143)
})

test('a full disk under stdout is told on stderr', { skip: skipWithout('/dev/full') }, async () => {
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, [BIN, '--help'], { stdio: ['ignore', full, 'pipe'], env: {} })
  closeSync(full)
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [code] = await once(child, 'close')
  assert.equal(code, 0)
  assert.equal(
    stderr,
    'pagerduty-alert: warning: cannot write to stdout (ENOSPC), so some output is missing\n',
  )
})
