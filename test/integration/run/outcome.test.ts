import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { BIN, KEY } from '../../support/program.ts'
import { shell, startDeployments } from '../../support/deployment.ts'

const { simulator, env: ENV, watch, start, sent, details } = await startDeployments()
const folder = mkdtempSync(join(tmpdir(), 'run-'))
after(async () => {
  await simulator.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => simulator.reset())

test('a good deployment is a change event with its duration, and the resolve', async () => {
  assert.equal((await watch(['true'])).code, 0)
  assert.deepEqual(sent(), ['change', 'resolve'])
  assert.equal(typeof details().duration_seconds, 'number')
  assert.ok(!('exit_code' in details()) && !('output' in details()) && !('command' in details()))
})

test('a failed one is an alert with exit status, duration and the last lines, both streams', async () => {
  const { code } = await watch(
    shell('for i in 1 2 3; do echo line $i; done; sleep 0.05; echo boom >&2; exit 7'),
    { options: ['--output-lines', '2'] },
  )
  assert.equal(code, 7)
  assert.deepEqual(sent(), ['trigger'])
  assert.match(simulator.alerts[0]?.title ?? '', /failed with exit status 7/)
  assert.deepEqual([details().exit_code, details().output], [7, 'line 3\nboom'])
  assert.ok(Number(details().duration_seconds) >= 0.05)
})

test('every exit status is passed on', async () => {
  for (const status of [0, 1, 2, 64, 65, 70, 75, 78, 125, 126, 127, 128, 143, 200, 255]) {
    assert.equal((await watch(shell(`exit ${status}`), { options: ['--quiet'] })).code, status)
  }
})

test('a command that a signal ends has 128 and its number', async () => {
  for (const [signal, status] of [
    ['KILL', 137],
    ['TERM', 143],
    ['SEGV', 139],
    ['USR1', 138],
  ] as const) {
    simulator.reset()
    assert.equal((await watch(shell(`ulimit -c 0; kill -${signal} $$`))).code, status)
    assert.deepEqual([details().signal, details().exit_code], [`SIG${signal}`, undefined])
    assert.match(simulator.alerts[0]?.title ?? '', new RegExp(`failed on SIG${signal}`))
  }
})

test('a key that takes no change events ends neither run nor its command, however long that takes', async () => {
  const key = `R${'0'.repeat(31)}` // of an Event Orchestration
  const long = await watch(shell('sleep 1; echo done; exit 4'), { env: { ...ENV, PAGERDUTY_TOKEN: key } })
  assert.deepEqual([long.code, long.stdout], [4, 'done\n'])
  assert.deepEqual(sent(), ['trigger'])
  simulator.reset()
  const good = await watch(shell('sleep 1; echo done'), { env: { ...ENV, PAGERDUTY_TOKEN: key } })
  assert.deepEqual([good.code, good.stdout], [0, 'done\n'])
  assert.match(good.stderr, /error: key …0000: this is an Event Orchestration key/)
  assert.doesNotMatch(good.stderr, /bug/)
  assert.deepEqual(sent(), [])
})

test('a command that cannot be started has the status that a shell gives, and is reported', async () => {
  const plain = join(folder, 'plain')
  writeFileSync(plain, 'x', { mode: 0o644 })
  const script = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o755 })
    return join(folder, name)
  }
  for (const [command, status, reason] of [
    ['no-such-command', 127, /command not found/],
    ['', 127, /command not found/],
    [join(folder, 'none'), 127, /command not found/],
    [plain, 126, /plain: is not executable; chmod \+x makes it so/],
    [script('gone', '#! /nowhere/bash -e\n'), 127, /gone: its interpreter \/nowhere\/bash is not found/],
    [script('windows', '#!/bin/sh\r\n'), 127, /windows: has Windows line ends \(CRLF\), so its interpreter/],
    [folder, 126, /is a directory, not a program/],
    [join(plain, 'x'), 126, /cannot be started \(ENOTDIR\)/],
  ] as const) {
    simulator.reset()
    const { code, stderr } = await watch([command])
    assert.equal(code, status, command)
    assert.match(stderr, reason)
    assert.deepEqual([sent(), details().exit_code], [['trigger'], status])
  }
})

test('a command for which too few files may be open has the status of one that cannot be started', async () => {
  const env = { ...ENV, PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:9', PAGERDUTY_DEADLINE: '100ms' }
  for (const limit of [26, 28]) {
    const limited = `ulimit -n ${limit}; exec "$0" "$@"`
    const args = [process.execPath, BIN, 'run', '--', 'sh', '-c', 'exit 4']
    const { status, stderr } = spawnSync('sh', ['-c', limited, ...args], { env, encoding: 'utf8' })
    assert.ok(status === 4 || status === 126, `${limit} files: status ${status}, ${stderr}`)
  }
})

test('whatever is wrong with the configuration, the command runs and keeps its status', async () => {
  const { PATH = '' } = ENV
  const broken: Record<string, string>[] = [
    { PATH },
    { ...ENV, PAGERDUTY_TOKEN: 'nonsense' },
    { ...ENV, PAGERDUTY_SEVERITY: 'P1', PAGERDUTY_DETAILS: '{' },
    { PATH, PAGERDUTY_TOKEN_FILE: '/nowhere' },
    { ...ENV, LOG_LEVEL: 'loud', LOG_FORMAT: 'xml' },
    { ...ENV, LOG_FORMAT: 'json' },
    { ...ENV, PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:9', PAGERDUTY_DEADLINE: '100ms' },
    { ...ENV, PAGERDUTY_ROUTING_KEY: 'R022XIJR9M266DX570EVE6EXP1AFBN6D' },
  ]
  for (const env of broken) {
    for (const status of [0, 3]) {
      const { code, stdout } = await watch(shell(`echo ran; exit ${status}`), { env })
      assert.deepEqual([code, stdout], [status, 'ran\n'])
    }
  }
  const options = ['--severity', 'nope', '--output-lines', 'many', '--heartbeat', 'often']
  assert.equal((await watch(['true'], { options })).code, 0)
})

test('--strict lets a failed report replace a success, and nothing else', async () => {
  const strict = async (
    env: Readonly<Record<string, string>>,
    script: string,
    expected: number,
  ): Promise<void> => {
    const { code, stderr } = await watch(shell(script), { options: ['--strict'], env })
    assert.equal(code, expected, stderr)
  }
  const unreachable = { ...ENV, PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:9', PAGERDUTY_DEADLINE: '100ms' }
  await strict(unreachable, 'exit 0', 75)
  await strict(unreachable, 'exit 3', 3)
  await strict({ PATH: ENV['PATH'] ?? '' }, 'exit 0', 78)
  await strict({ ...ENV, PAGERDUTY_SEVERITY: 'P1' }, 'exit 0', 78)
  await strict(ENV, 'exit 0', 0)
  simulator.behave({ behaviour: { kind: 'answer', status: 400, body: 'Invalid routing key' } })
  await strict(ENV, 'exit 0', 65)
})

test('soft failures page nobody: a change event says so, and an open alert stays as it is', async () => {
  for (const [codes, status, expected] of [
    ['3,75', 3, 'change'],
    ['*', 9, 'change'],
    ['3,75', 4, 'trigger'],
  ] as const) {
    simulator.reset()
    assert.equal((await watch(shell(`exit ${status}`), { options: ['--soft-fail', codes] })).code, status)
    assert.deepEqual([sent(), details().exit_code], [[expected], status])
  }
})

test('nothing secret of the output reaches PagerDuty', async () => {
  const env = { ...ENV, DB_PASSWORD: 'hunter2!', DEPLOY_KEY: 'line-one\nline-two' }
  const script =
    'env; echo "https://u:pw-in-url@db/"; echo AKIAIOSFODNN7EXAMPLE; echo "Authorization: Bearer abcdefgh"; printf "\\033[31mred\\033[0m \\377\\n"; printf hun; sleep 0.1; printf "ter2!\\n" ; exit 1'
  await watch(shell(script), { options: ['--show-command', '--step', 'db'], env })
  const [request] = simulator.requests
  const text = request?.body.toString() ?? ''
  assert.equal(text.split(KEY).length, 2, 'the key is in routing_key alone')
  for (const secret of [
    'hunter2!',
    'line-one',
    'line-two',
    'pw-in-url',
    'AKIAIOSFODNN7EXAMPLE',
    'abcdefgh',
    '\\u001b',
  ]) {
    assert.ok(!String(details().output).includes(secret), secret)
  }
  assert.match(String(details().command), /^sh -c env; echo "https:\/\/\[masked\]@db\//)
  assert.match(String(details().output), /red \ufffd\n\[masked\]$/)
  assert.equal(simulator.alerts[0]?.dedupKey, 'deploy/acme/shop/master/db')
})

test('a secret is masked though the command encodes it', async () => {
  const value = 'Xy7Zw8Qk9Lm1+Np2/Rs3=Tu4'
  const script =
    'printf %s "$DB_PASS" | base64; echo "a$DB_PASS" | base64; echo "ab$DB_PASS" | base64; printf %s "$DB_PASS" | od -An -tx1; ' +
    'echo "postgres://app:p@ss/w#rd7@db/shop"; echo "pwd=\'two words 7\'"; exit 1'
  await watch(shell(script), { env: { ...ENV, DB_PASS: value } })
  const output = String(details().output)
  assert.match(
    output,
    /^\[masked\]\n\S{0,2}\[masked\]\S{0,2}\n\S{0,3}\[masked\]\S{0,2}\n \[masked\]\npostgres:\/\/\[masked\]@db\/shop\npwd='\[masked\]'$/,
  )
})

test('a secret is masked though the other stream prints between its two halves', async () => {
  const env = { ...ENV, DB_PASSWORD: 'hunter2-and-more' }
  const wait = (name: string): string => `until [ -e "${join(folder, name)}" ]; do sleep 0.02; done`
  const script = `printf hunter2; ${wait('a')}; echo other >&2; ${wait('b')}; echo -and-more; exit 1`
  const { child, ended } = start(shell(script), { env })
  await once(child.stdout, 'data')
  writeFileSync(join(folder, 'a'), '')
  await once(child.stderr, 'data')
  writeFileSync(join(folder, 'b'), '')
  await ended
  assert.equal(details().output, 'other\n[masked]')
})

test('a heartbeat speaks while the command is silent', async () => {
  const { stderr } = await watch(shell('sleep 2'), { options: ['--heartbeat', '100ms'] })
  assert.match(stderr, /still running after [012](\.\d)? s/)
  assert.doesNotMatch((await watch(shell('sleep 0.5'))).stderr, /still running/)
  // It lasts longer than the interval, and is never silent for nearly that long.
  const chatty = 'i=0; while [ $i -lt 45 ]; do echo $i; sleep 0.1; i=$((i+1)); done'
  assert.doesNotMatch(
    (await watch(shell(chatty), { options: ['--heartbeat', '4s'] })).stderr,
    /still running/,
  )
})

test('--json prints its line after the command output, --dry-run sends nothing', async () => {
  const { stdout } = await watch(shell('echo out; exit 3'), { options: ['--json'] })
  const [out, line = ''] = stdout.split('\n')
  assert.equal(out, 'out')
  assert.deepEqual([(JSON.parse(line) as { command: string }).command, sent()], ['run', ['trigger']])
  simulator.reset()
  assert.equal((await watch(shell('exit 3'), { options: ['--dry-run'] })).code, 3)
  assert.deepEqual(sent(), [])
})

test('--json has the status that run itself ends with, even if nothing could be reported', async () => {
  const key = { PAGERDUTY_ROUTING_KEY: 'R022XIJR9M266DX570EVE6EXP1AFBN6D' } // takes no change events
  for (const [env, options, script, expected] of [
    [ENV, [], 'exit 3', { outcome: 'accepted', exit_code: 3 }],
    [ENV, [], 'exit 0', { outcome: 'accepted', exit_code: 0 }],
    [{ PATH: ENV['PATH'] ?? '' }, [], 'exit 0', { outcome: 'refused', exit_code: 0 }],
    [{ PATH: ENV['PATH'] ?? '' }, ['--strict'], 'exit 0', { outcome: 'refused', exit_code: 78 }],
    [{ PATH: ENV['PATH'] ?? '' }, ['--strict'], 'exit 3', { outcome: 'refused', exit_code: 3 }],
    [{ ...ENV, ...key }, ['--strict'], 'exit 0', { outcome: 'refused', exit_code: 78 }],
  ] as const) {
    const { code, stdout } = await watch(shell(script), { env, options: ['--json', ...options] })
    const { outcome, exit_code: exitCode } = JSON.parse(stdout) as { outcome: string; exit_code: number }
    assert.deepEqual({ outcome, exit_code: exitCode }, expected)
    assert.equal(code, exitCode)
  }
})

test('if the options are wrong, the command keeps a --json of its own', async () => {
  const { code, stdout } = await watch(['tool', '--json'], { options: ['--nonsense'] })
  assert.deepEqual([code, stdout], [64, ''])
})

test('an unreachable PagerDuty costs the deadline and no more', async () => {
  simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
  const { code, stdout, durationMs } = await watch(shell('echo done'), { options: ['--deadline', '1s'] })
  assert.deepEqual([code, stdout], [0, 'done\n'])
  assert.ok(durationMs >= 1000 && durationMs < 20_000, `${durationMs} ms`)
})
