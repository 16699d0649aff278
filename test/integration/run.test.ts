import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startSimulator } from '../simulator/simulator.ts'
import { BIN, CODESHIP_PRO, KEY, runProgram, startProgram, type Run } from '../support/program.ts'

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => simulator.reset())

const PATH = process.env.PATH ?? ''
const ENV = { ...CODESHIP_PRO, PATH, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url }
const folder = mkdtempSync(join(tmpdir(), 'run-'))

async function watch(
  command: string[],
  options: string[] = [],
  env: Record<string, string> = ENV,
  stdin = '',
): Promise<Run> {
  return await runProgram(['run', ...options, '--', ...command], { env, stdin })
}
const shell = (script: string): string[] => ['sh', '-c', script]
const details = (): Record<string, unknown> => {
  const { payload } = simulator.alerts[0]?.event ?? simulator.changes[0] ?? {}
  return (payload?.custom_details ?? {}) as Record<string, unknown>
}
const sent = (): string[] =>
  simulator.requests
    .map(({ json }) => (json as { event_action?: string }).event_action ?? 'change')
    .toSorted()

async function until(condition: () => boolean, what: string): Promise<void> {
  const giveUpAt = performance.now() + 5000
  while (!condition()) {
    if (performance.now() > giveUpAt) assert.fail(`waited in vain for ${what}`)
    await sleep(10)
  }
}
const isAlive = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

test('what the command prints is exactly what comes out, on both streams', async () => {
  const { code, stdout, stderr } = await watch(shell('printf hi; printf there >&2'), ['--quiet'])
  assert.deepEqual([code, stdout, stderr], [0, 'hi', 'there'])
})

test('a good deployment is a change event with its duration, and the resolve', async () => {
  assert.equal((await watch(['true'])).code, 0)
  assert.deepEqual(sent(), ['change', 'resolve'])
  assert.equal(typeof details().duration_seconds, 'number')
  assert.ok(!('exit_code' in details()) && !('output' in details()))
})

test('a failed one is an alert with exit status, duration and the last lines, both streams', async () => {
  const { code } = await watch(
    shell('for i in 1 2 3; do echo line $i; done; sleep 0.05; echo boom >&2; exit 7'),
    ['--output-lines', '2'],
  )
  assert.equal(code, 7)
  assert.deepEqual(sent(), ['trigger'])
  assert.match(simulator.alerts[0]?.title ?? '', /failed with exit status 7/)
  assert.deepEqual([details().exit_code, details().output], [7, 'line 3\nboom'])
})

test('every exit status is passed on', async () => {
  for (const status of [0, 1, 2, 64, 65, 75, 78, 125, 126, 127, 128, 200, 255]) {
    assert.equal((await watch(shell(`exit ${status}`), ['--quiet'])).code, status)
  }
})

test('a command that a signal ends has 128 and its number', async () => {
  const { code } = await watch(shell('kill -KILL $$'))
  assert.equal(code, 137)
  assert.equal(details().signal, 'SIGKILL')
  assert.match(simulator.alerts[0]?.title ?? '', /failed on SIGKILL/)
})

test('a command that cannot be started has the status that a shell gives', async () => {
  const plain = join(folder, 'plain')
  writeFileSync(plain, 'x', { mode: 0o644 })
  for (const [command, status] of [
    ['no-such-command', 127],
    [join(folder, 'none'), 127],
    [plain, 126],
    [folder, 126],
  ] as const) {
    simulator.reset()
    const { code, stderr } = await watch([command])
    assert.equal(code, status, command)
    assert.match(stderr, /command not found|cannot be started \(EACCES\)/)
    assert.deepEqual([sent(), details().exit_code], [['trigger'], status])
  }
})

test('arguments, environment, stdin and working directory pass through unchanged', async () => {
  const args = ['a b', '', '--json', '$HOME', '*', "it's", '--', 'é\n']
  const script =
    'for a in "$@"; do printf "[%s]" "$a"; done; cat; printf "%s %s" "$MARKER" "$PAGERDUTY_TOKEN"; pwd'
  const { stdout } = await watch(
    ['sh', '-c', script, 'sh', ...args],
    ['--quiet'],
    { ...ENV, MARKER: 'm' },
    'from stdin',
  )
  assert.equal(stdout, `${args.map((arg) => `[${arg}]`).join('')}from stdinm ${KEY}${process.cwd()}\n`)
})

test('a script may open /dev/stdout and /dev/stderr, as it can without us', async () => {
  const { stdout, stderr, code } = await watch(
    shell('echo a > /dev/stderr; echo b > /dev/stdout; echo c | tee /dev/stderr'),
    ['--quiet'],
  )
  assert.deepEqual([code, stdout, stderr], [0, 'b\nc\n', 'a\nc\n'])
})

test('where both streams are one file, the order of what was printed is kept', async () => {
  const path = join(folder, 'both')
  const fd = openSync(path, 'w')
  const script = 'i=0; while [ $i -lt 200 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done'
  const child = spawn(process.execPath, [BIN, 'run', '--quiet', '--', ...shell(script)], {
    env: ENV,
    stdio: ['ignore', fd, fd],
  })
  await once(child, 'close')
  closeSync(fd)
  const expected = Array.from({ length: 200 }, (_, index) => `o${index}\ne${index}\n`).join('')
  assert.equal(readFileSync(path, 'utf8'), expected)
})

test('output comes live, before the command ends', async () => {
  const { child, ended } = startProgram(['run', '--', ...shell('echo first; read line; echo $line')], {
    env: ENV,
  })
  await once(child.stdout, 'data')
  await ended // stdin has ended, so `read` returns
})

test('whatever is wrong with the configuration, the command runs and keeps its status', async () => {
  const broken: Record<string, string>[] = [
    { PATH },
    { ...ENV, PAGERDUTY_TOKEN: 'nonsense' },
    { ...ENV, PAGERDUTY_SEVERITY: 'P1', PAGERDUTY_DETAILS: '{' },
    { PATH, PAGERDUTY_TOKEN_FILE: '/nowhere' },
    { ...ENV, PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:9', PAGERDUTY_DEADLINE: '100ms' },
    { ...ENV, PAGERDUTY_ROUTING_KEY: 'R022XIJR9M266DX570EVE6EXP1AFBN6D' },
  ]
  for (const env of broken) {
    for (const status of [0, 3]) {
      const { code, stdout } = await watch(shell(`echo ran; exit ${status}`), [], env)
      assert.deepEqual([code, stdout], [status, 'ran\n'])
    }
  }
  assert.equal((await watch(['true'], ['--severity', 'nope', '--output-lines', 'many'])).code, 0)
})

test('--strict lets a failed report replace a success, and nothing else', async () => {
  const strict = async (env: Record<string, string>, script: string): Promise<number | null> =>
    (await watch(shell(script), ['--strict'], env)).code
  const unreachable = { ...ENV, PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:9', PAGERDUTY_DEADLINE: '100ms' }
  assert.equal(await strict(unreachable, 'exit 0'), 75)
  assert.equal(await strict(unreachable, 'exit 3'), 3)
  assert.equal(await strict({ PATH }, 'exit 0'), 78)
  assert.equal(await strict({ ...ENV, PAGERDUTY_SEVERITY: 'P1' }, 'exit 0'), 78)
  assert.equal(await strict(ENV, 'exit 0'), 0)
  simulator.behave({ behaviour: { kind: 'answer', status: 400, body: 'Invalid routing key' } })
  assert.equal(await strict(ENV, 'exit 0'), 65)
})

test('soft failures page nobody', async () => {
  for (const [codes, status, expected] of [
    ['3,75', 3, 'change'],
    ['*', 9, 'change'],
    ['3,75', 4, 'trigger'],
  ] as const) {
    simulator.reset()
    assert.equal((await watch(shell(`exit ${status}`), ['--soft-fail', codes])).code, status)
    assert.deepEqual(sent(), [expected])
  }
})

test('nothing secret of the output reaches PagerDuty', async () => {
  const env = { ...ENV, DB_PASSWORD: 'hunter2!', DEPLOY_KEY: 'line-one\nline-two' }
  const script =
    'env; echo "https://u:pw-in-url@db/"; echo AKIAIOSFODNN7EXAMPLE; echo "Authorization: Bearer abcdefgh"; printf "\\033[31mred\\033[0m \\377\\n"; exit 1'
  await watch(shell(script), ['--show-command', '--step', 'db'], env)
  const [request] = simulator.requests
  const text = request?.body.toString() ?? ''
  assert.equal(text.split(KEY).length, 2, 'the key stands in routing_key alone')
  for (const secret of [
    'hunter2!',
    'line-one',
    'line-two',
    'pw-in-url',
    'AKIAIOSFODNN7EXAMPLE',
    'abcdefgh',
    '\\u001b',
  ]) {
    const inCommand = details().command as string
    assert.ok(!String(details().output).includes(secret), secret)
    assert.ok(!inCommand.includes('pw-in-url'))
  }
  assert.match(String(details().output), /red \ufffd$/)
  assert.equal(simulator.alerts[0]?.dedupKey, 'deploy/acme/shop/master/db')
})

test('with --output-lines 0 the command has our streams itself, and no output is sent', async () => {
  const { stdout } = await watch(shell('readlink /proc/self/fd/1; exit 1'), ['--output-lines', '0'])
  assert.match(stdout, /^socket:/) // the test's own end, not a pipe of ours
  assert.ok(!('output' in details()))
})

for (const [signal, status] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} ends the command and its children, and is reported as a change event`, async () => {
    const script = 'sleep 1000 & echo $!; echo $$; wait'
    const { child, ended } = startProgram(['run', '--', ...shell(script)], { env: ENV })
    let pids = ''
    child.stdout.on('data', (text: string) => (pids += text))
    await until(() => pids.split('\n').length > 2, 'the process ids')
    child.kill(signal)
    const { code } = await ended
    assert.equal(code, status)
    assert.deepEqual(sent(), ['change'])
    assert.match(simulator.changes[0]?.payload.summary ?? '', /was cancelled/)
    for (const pid of pids.trim().split('\n')) assert.ok(!isAlive(Number(pid)), `process ${pid} is left`)
  })
}

test('after a signal the command may still clean up, and a child that ignores the signal is not left behind', async () => {
  const done = join(folder, 'cleaned')
  const script = `trap 'sleep 0.3; echo x > ${done}; exit 5' TERM; (trap '' TERM; sleep 1000) & echo $!; while :; do sleep 0.05; done`
  const { child, ended } = startProgram(['run', '--', ...shell(script)], { env: ENV })
  const [pid] = (await once(child.stdout, 'data')) as [string]
  child.kill('SIGTERM')
  assert.equal((await ended).code, 5)
  assert.ok(existsSync(done))
  assert.ok(!isAlive(Number(pid.trim())))
  assert.deepEqual([sent(), details().exit_code], [['change'], 5])
})

test('a cancelled command that takes its time is reported in time for Docker, and still waited for', async () => {
  const { child, ended } = startProgram(
    ['run', '--', ...shell("trap 'sleep 6; exit 0' TERM; echo up; while :; do sleep 0.05; done")],
    { env: ENV },
  )
  await once(child.stdout, 'data')
  const signalledAt = Date.now()
  child.kill('SIGTERM')
  const [request] = await simulator.waitForRequests(1, 9000)
  assert.ok(request!.receivedAtMs - signalledAt < 5500)
  assert.equal((await ended).code, 0)
  assert.deepEqual(sent(), ['change'])
})

test('a reader that goes away ends the command by SIGPIPE, as it would without us', async () => {
  const child = spawn(process.execPath, [BIN, 'run', '--quiet', '--', 'yes'], {
    env: ENV,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(child.stdout, 'data')
  child.stdout.destroy()
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 141)
})

test('a child that outlives the command does not keep us', async () => {
  const { code, durationMs, stdout } = await watch(shell('sleep 20 & echo $!; exit 0'))
  assert.equal(code, 0)
  assert.ok(durationMs < 10_000)
  assert.ok(isAlive(Number(stdout.trim())), 'without a signal nothing is killed')
  process.kill(Number(stdout.trim()))
})

test('all output arrives, however much and however slowly it is read', async () => {
  const child = spawn(
    process.execPath,
    [BIN, 'run', '--quiet', '--', ...shell('head -c 3000000 /dev/zero; exit 4')],
    { env: ENV, stdio: ['ignore', 'pipe', 'ignore'] },
  )
  child.stdout.pause()
  await sleep(700)
  let bytes = 0
  child.stdout.on('data', (chunk: Buffer) => (bytes += chunk.length)).resume()
  const [code] = (await once(child, 'close')) as [number]
  assert.deepEqual([code, bytes], [4, 3_000_000])
})

test('a heartbeat speaks while the command is silent', async () => {
  const { stderr } = await watch(shell('sleep 0.5'), ['--heartbeat', '100ms'])
  assert.match(stderr, /still running after 0\.\d s/)
  assert.doesNotMatch((await watch(['true'])).stderr, /still running/)
})

test('--json prints its line after the command output, --dry-run sends nothing', async () => {
  const { stdout } = await watch(shell('echo out; exit 3'), ['--json'])
  const [out, line = ''] = stdout.split('\n')
  assert.equal(out, 'out')
  assert.deepEqual([(JSON.parse(line) as { command: string }).command, sent()], ['run', ['trigger']])
  simulator.reset()
  assert.equal((await watch(shell('exit 3'), ['--dry-run'])).code, 3)
  assert.deepEqual(sent(), [])
})
