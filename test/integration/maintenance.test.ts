import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY, startProgram, type Program } from '../support/program.ts'
import { accountWith, REST_TOKEN } from '../support/rest.ts'

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => {
  simulator.reset()
  simulator.seed(accountWith())
})

const ENV = {
  ...CODESHIP_PRO,
  PATH: process.env.PATH ?? '',
  PAGERDUTY_TOKEN: KEY,
  PAGERDUTY_API_TOKEN: REST_TOKEN,
  PAGERDUTY_EVENTS_URL: simulator.url,
  PAGERDUTY_API_URL: simulator.url,
  PAGERDUTY_SERVICE_ID: 'PSHOP',
}
const MARKER = '[pagerduty-alert deploy/acme/shop/master]'

function start(script: string, options: string[] = [], env: Record<string, string> = {}): Program {
  const args = ['run', '--maintenance', '30', ...options, '--', 'sh', '-c', script]
  return startProgram(args, { env: { ...ENV, ...env } })
}
const calls = (): string[] =>
  simulator.requests.map(({ method, path }) => `${method} ${path.split('?')[0] ?? ''}`)
const minutesLeft = (endTime: string): number => Math.round((Date.parse(endTime) - Date.now()) / 60_000)
const isOpen = ({ endTime }: { endTime: string }): boolean => Date.parse(endTime) > Date.now()

async function printed({ child }: Program, text: string): Promise<void> {
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk) => String(chunk).includes(text) && resolve())
  })
}

test('the service is in maintenance while the command runs, and no longer when its failure is reported', async () => {
  const { code, stderr } = await start('exit 3').ended
  assert.equal(code, 3, stderr)
  assert.deepEqual(calls(), [
    'GET /maintenance_windows',
    'POST /maintenance_windows',
    'GET /maintenance_windows',
    'DELETE /maintenance_windows/PW1',
    'POST /v2/enqueue',
  ])
  const [window] = simulator.rest.windows
  assert.equal(window?.description, `Deployment in progress ${MARKER}`)
  assert.deepEqual(window?.serviceIds, ['PSHOP'])
  assert.equal(simulator.alerts[0]?.status, 'triggered', 'the alert was not muted')
})

test('the window is open before the command starts, and has an end', async () => {
  const program = start('echo started; cat')
  await printed(program, 'started')
  const [window] = simulator.rest.windows
  assert.equal(minutesLeft(window?.endTime ?? ''), 30)
  assert.equal((await program.ended).code, 0)
})

test('killed, it leaves a window that has an end, which the next run takes over, extends and ends', async () => {
  const program = start('echo started; exec sleep 30 </dev/null')
  await printed(program, 'started')
  program.child.kill('SIGKILL')
  await program.ended
  const [left] = simulator.rest.windows
  assert.ok(left !== undefined && isOpen(left) && minutesLeft(left.endTime) === 30)

  left.endTime = new Date(Date.now() + 5 * 60_000).toISOString()
  const next = start('echo started; exec sleep 0.2')
  await printed(next, 'started')
  assert.equal(minutesLeft(left.endTime), 30)
  assert.equal((await next.ended).code, 0)
  assert.deepEqual([simulator.rest.windows.length, isOpen(left)], [1, false])
})

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} ends the window`, async () => {
    const program = start('echo started; exec sleep 30 </dev/null')
    await printed(program, 'started')
    program.child.kill(signal)
    await program.ended
    const [window] = simulator.rest.windows
    assert.ok(window !== undefined && !isOpen(window))
  })
}

test('a signal while the window is being opened starts no command and leaves no window open', async () => {
  simulator.behave({
    endpoint: '/maintenance_windows',
    times: 1,
    behaviour: { kind: 'usual', delayMs: 2000 },
  })
  const program = start('echo started')
  await simulator.waitForRequests(1)
  program.child.kill('SIGTERM')
  const { code, stdout } = await program.ended
  assert.deepEqual([code, stdout, simulator.rest.windows.filter(isOpen)], [143, '', []])
})

test('another’s window is neither used nor ended', async () => {
  const window = {
    startTime: new Date(Date.now() - 1000).toISOString(),
    endTime: new Date(Date.now() + 3_600_000).toISOString(),
  }
  const windows = [
    { id: 'PTHEIRS', description: 'Database upgrade', serviceIds: ['PSHOP'], ...window },
    {
      id: 'PSTAGE',
      description: 'x [pagerduty-alert deploy/acme/shop/staging]',
      serviceIds: ['PSHOP'],
      ...window,
    },
  ]
  simulator.seed(accountWith({ windows }))
  assert.equal((await start('true').ended).code, 0)
  assert.deepEqual(
    simulator.rest.windows.map((one) => isOpen(one)),
    [true, true, false],
  )
})

const TROUBLE: [string, Record<string, string>, number, RegExp][] = [
  ['a token that may not write', {}, 78, /no maintenance window: .*403[\s\S]*services\.write/],
  [
    'no token',
    { PAGERDUTY_API_TOKEN: '' },
    78,
    /no maintenance window: --maintenance asks PagerDuty’s REST API/,
  ],
  [
    'no answer',
    { PAGERDUTY_API_URL: 'http://127.0.0.1:1', PAGERDUTY_DEADLINE: '1s' },
    75,
    /no maintenance window: .*(?:refused|no answer)/,
  ],
]
for (const [name, env, exitCode, message] of TROUBLE) {
  test(`${name}: the command runs anyway, except with --strict`, async () => {
    simulator.seed(accountWith({ tokens: [{ token: REST_TOKEN, kind: 'read-only' }] }))
    const lenient = await start('echo ran; exit 4', [], env).ended
    assert.deepEqual([lenient.code, lenient.stdout], [4, 'ran\n'])
    assert.match(lenient.stderr, message)
    assert.equal(simulator.alerts.length, 1, 'and its failure is reported')
    const strict = await start('echo ran', ['--strict'], env).ended
    assert.deepEqual([strict.code, strict.stdout], [exitCode, ''])
  })
}

test('a window whose opening was never answered is ended too', async () => {
  simulator.behave({ endpoint: '/maintenance_windows', times: 1, behaviour: { kind: 'usual' } })
  simulator.behave({ endpoint: '/maintenance_windows', times: 1, behaviour: { kind: 'truncate' } })
  const { code } = await start('exit 3').ended
  assert.equal(code, 3)
  assert.deepEqual(simulator.rest.windows.filter(isOpen), [])
  assert.equal(simulator.alerts.length, 1)
})

test('without an answer the command starts after some seconds', async () => {
  simulator.behave({
    endpoint: '/maintenance_windows',
    times: 1,
    behaviour: { kind: 'hang', after: 'request' },
  })
  const program = start('echo started')
  await printed(program, 'started')
  assert.equal((await program.ended).code, 0)
})
