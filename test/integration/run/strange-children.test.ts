import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { BIN } from '../../support/program.ts'
import { isAlive, shell, startDeployments } from '../../support/deployment.ts'
import { until } from '../../support/until.ts'

const { simulator, env: ENV, watch, start, sent, details } = await startDeployments()
const emptyFolder = mkdtempSync(join(tmpdir(), 'run-'))
after(async () => {
  await simulator.close()
  rmSync(emptyFolder, { recursive: true })
})
beforeEach(() => simulator.reset())

/** Prints forever, and first says by which id it can be found. */
const CHATTERBOX = 'sh -c "echo pid=\\$\\$.; while :; do echo again || exit; sleep 0.05; done"'

function pidIn(text: string): number {
  const pid = Number(/pid=(\d+)\./.exec(text)?.[1])
  assert.ok(pid > 1, text)
  return pid
}

for (const [how, env] of [
  ['pipes', ENV],
  ['sockets, if no pipe can be created', { ...ENV, PATH: emptyFolder }],
] as const) {
  test(`a child that prints forever keeps neither the report nor us: ${how}`, async () => {
    const script = `PATH=/usr/bin:/bin; ${CHATTERBOX} & sleep 0.2; echo the last word; exit 3`
    const { child, ended } = start(['/bin/sh', '-c', script], { env })
    let printed = 0
    child.stdout.on('data', (text: string) => (printed += text.length))
    await simulator.waitForRequests(1)
    const printedByReport = printed
    const { code, durationMs, stdout } = await ended
    assert.equal(code, 3)
    assert.deepEqual([sent(), details().exit_code], [['trigger'], 3])
    assert.match(String(details().output), /the last word/)
    assert.ok(durationMs < 45_000, `${durationMs} ms`)
    assert.ok(printed > printedByReport, 'the report did not wait for the output')
    // It ends by SIGPIPE or by its failing `echo`, as it would if the reader had gone.
    await until(() => !isAlive(pidIn(stdout)), 'the end of the child')
  })
}

test('what the command printed last is in the alert, though a child holds its stdout', async () => {
  const script =
    'sleep 5 & head -c 60000 /dev/zero | tr "\\0" x | fold -w 100; echo; echo the last word; exit 3'
  const { stdout } = await watch(shell(script))
  assert.ok(stdout.endsWith('xxx\nthe last word\n'), stdout.slice(-200))
  assert.ok(String(details().output).endsWith('xxx\nthe last word'))
})

test('after SIGTERM a child that ignores it and prints forever is killed', async () => {
  const { child, ended } = start(shell(`(trap '' TERM; exec ${CHATTERBOX}) & wait`))
  let printed = ''
  child.stdout.on('data', (text: string) => (printed += text))
  await until(() => printed.includes('again'), 'the child')
  child.kill('SIGTERM')
  assert.equal((await ended).code, 143)
  assert.deepEqual(sent(), ['change'])
  assert.ok(!isAlive(pidIn(printed)))
})

for (const stream of ['pipe', 'socket'] as const) {
  test(`a child that prints forever does not keep us though nobody reads our stdout, a ${stream}`, async (t) => {
    const run = `"$NODE" "$BIN" run --quiet -- sh -c 'yes & sleep 0.5; exit 4'; echo $? >&3`
    const script = stream === 'pipe' ? `{ ${run}; } | sleep 1000` : run
    const child = spawn('sh', ['-c', script], {
      env: { ...ENV, NODE: process.execPath, BIN },
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
      detached: true,
    })
    t.after(() => process.kill(-child.pid!, 'SIGKILL')) // the process that should have read
    const [status] = (await once(child.stdio[3]!, 'data')) as [Buffer]
    assert.equal(status.toString(), '4\n')
    assert.deepEqual(sent(), ['trigger'])
  })
}

test('a real-time signal, which Node has no name for, counts as any other', async () => {
  for (const [script, status, name] of [
    ['kill -40 $$', 168, 'SIGRTMIN+6'],
    ['sleep 0.2; kill -64 $$', 192, 'SIGRTMIN+30'],
    ['sleep 0.2; kill -32 $$', 160, 'signal 32'],
  ] as const) {
    simulator.reset()
    const { code } = await watch(shell(script))
    assert.deepEqual([code, sent()], [status, ['trigger']], script)
    assert.deepEqual([details().signal, details().exit_code], [name, undefined])
    assert.ok((simulator.alerts[0]?.title ?? '').includes(`failed on ${name}`))
  }
})

test('an exit status of 0 stays one, however long it took', async () => {
  for (const script of ['exit 0', 'sleep 0.2; exit 0', 'sh -c "kill -40 \\$\\$"; exit 0']) {
    simulator.reset()
    const { code } = await watch(shell(script))
    assert.deepEqual([code, sent()], [0, ['change', 'resolve']], script)
  }
})

const FORWARDED = [
  'QUIT',
  'USR1',
  'USR2',
  'ALRM',
  'VTALRM',
  'PROF',
  'IO',
  'PWR',
  'XCPU',
  'WINCH',
  'CONT',
] as const
for (const name of FORWARDED) {
  test(`SIG${name} reaches the command, which may continue`, async () => {
    const isCancelled = name === 'QUIT'
    const { child, ended } = start(
      shell(`trap 'echo had it; exit 6' ${name}; echo up; while :; do sleep 0.05; done`),
    )
    await once(child.stdout, 'data')
    child.kill(`SIG${name}`)
    const { code, stdout } = await ended
    assert.equal(code, 6)
    assert.match(stdout, /had it/)
    assert.deepEqual(sent(), [isCancelled ? 'change' : 'trigger'])
  })
}

test('a command that ends by the signal that it got through us was cancelled, and nothing of it is left', async () => {
  for (const [name, status] of [
    ['SIGQUIT', 131],
    ['SIGUSR1', 138],
    ['SIGUSR2', 140],
    ['SIGALRM', 142],
  ] as const) {
    simulator.reset()
    const { child, ended } = start(
      shell(`ulimit -c 0; (trap '' ${name.slice(3)}; exec ${CHATTERBOX}) & wait`),
    )
    let printed = ''
    child.stdout.on('data', (text: string) => (printed += text))
    await until(() => printed.includes('again'), 'the child')
    child.kill(name)
    assert.equal((await ended).code, status)
    assert.deepEqual(sent(), ['change'], name)
    assert.ok(!isAlive(pidIn(printed)))
  }
})

test('a signal that the command takes as a message cancels nothing', async () => {
  const { child, ended } = start(
    shell("n=0; trap 'n=1' USR1; echo up; while [ $n = 0 ]; do sleep 0.05; done; echo $n"),
  )
  await once(child.stdout, 'data')
  child.kill('SIGUSR1')
  const { code } = await ended
  assert.deepEqual([code, sent()], [0, ['change', 'resolve']])
})

test('a stopped command is continued, so that it can end', async () => {
  const { child, ended } = start(shell('echo pid=$$.; kill -STOP $$; while :; do sleep 0.05; done'))
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  assert.equal((await ended).code, 143)
  assert.deepEqual(sent(), ['change'])
})

test('a stopped child, and one whose parent has ended, are not left behind', async () => {
  for (const script of [
    `sh -c 'trap "" TERM; echo pid=$$.; kill -STOP $$; sleep 1000' & wait`,
    `(sh -c 'trap "" TERM; echo pid=$$.; sleep 1000' &); while :; do sleep 0.05; done`,
  ]) {
    const { child, ended } = start(shell(script))
    const [text] = (await once(child.stdout, 'data')) as [string]
    child.kill('SIGTERM')
    assert.equal((await ended).code, 143, script)
    assert.ok(!isAlive(pidIn(text)), script)
  }
})

test('a child in a session of its own keeps nobody, and is nobody’s to end', async () => {
  const { code, stdout } = await watch(
    shell(`setsid sh -c 'echo pid=$$.; exec sleep 1000' & sleep 0.3; exit 5`),
  )
  const pid = pidIn(stdout)
  assert.deepEqual([code, sent()], [5, ['trigger']])
  assert.ok(isAlive(pid))
  process.kill(pid, 'SIGKILL')
})

test('a command that closes its streams is waited for anyway', async () => {
  const { code } = await watch(shell('exec 0<&- 1>&- 2>&-; sleep 0.3; exit 4'))
  assert.deepEqual([code, details().exit_code], [4, 4])
})

test('a command whose child exits after it, with other statuses, keeps its own', async () => {
  const { code } = await watch(shell('(sleep 0.1; exit 9) & (exit 8) & exit 4'))
  assert.deepEqual([code, details().exit_code], [4, 4])
})
