import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY, startProgram, type Program } from '../../support/program.ts'
import { accountWith, ago, REST_TOKEN } from '../../support/rest.ts'
import { until } from '../../support/until.ts'

/*
 * `run --watch`: the deployment has succeeded, and may break something afterwards.
 */

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => simulator.reset())

const OLD = { id: 'QOLD', serviceId: 'PSHOP', title: 'Disk is full', createdAt: ago(60_000) }
const NEW = { ...OLD, id: 'QNEW', title: 'Checkout is down', createdAt: ago(0) }
const OK = [process.execPath, '-e', '']

function start(
  options: readonly string[],
  command: readonly string[] = OK,
  env: Readonly<Record<string, string>> = {},
): Program {
  return startProgram(['run', '--watch', '5s', ...options, '--', ...command], {
    env: {
      ...CODESHIP_PRO,
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_API_TOKEN: REST_TOKEN,
      PAGERDUTY_SERVICE_ID: 'PSHOP',
      PAGERDUTY_API_URL: simulator.url,
      PAGERDUTY_EVENTS_URL: simulator.url,
      ...env,
    },
  })
}
const looks = (): number => simulator.requests.filter(({ path }) => path.startsWith('/incidents?')).length
async function untilLooks(count: number): Promise<void> {
  await until(() => looks() >= count, `${count} looks for incidents`)
}
const isReported = (): boolean => simulator.changes.length > 0

for (const [options, status] of [
  [[], 0],
  [['--strict'], 1],
] as const) {
  const how = options.length === 0 ? 'without' : 'with'
  test(`a new incident is printed and noted: ${status} ${how} --strict`, async () => {
    simulator.seed(accountWith({ incidents: [OLD] }))
    const { ended } = start([...options, '--note', '--json'])
    await untilLooks(2)
    simulator.seed(accountWith({ incidents: [OLD, NEW] }))
    const { code, stdout, stderr } = await ended
    assert.equal(code, status, stderr)
    assert.match(stderr, /error: watch: 1 new incident on Shop \(PSHOP\)\n.*Checkout is down/)
    const line = JSON.parse(stdout) as Record<string, Record<string, unknown>>
    assert.deepEqual([line['command'], line['outcome'], line['exit_code']], ['run', 'accepted', status])
    assert.equal(line['watch']?.['outcome'], 'incident')
    assert.match(
      simulator.rest.notes.find(({ incidentId }) => incidentId === 'QNEW')?.content ?? '',
      /soon after/,
    )
  })
}

test('an incident that opens while the command runs is new', async () => {
  simulator.seed(accountWith({ incidents: [OLD] }))
  const { child, ended } = start(['--strict'], [process.execPath, '-e', 'process.stdin.resume()'])
  await untilLooks(1)
  simulator.seed(accountWith({ incidents: [OLD, NEW] }))
  child.stdin.end()
  assert.equal((await ended).code, 1)
})

test('while nothing opens it ends with 0, after its report', async () => {
  simulator.seed(accountWith({ incidents: [OLD] }))
  const { ended } = start(['--strict', '--json'])
  await until(isReported, 'the report, before the watch is over')
  const { code, stdout, stderr } = await ended
  assert.equal(code, 0, stderr)
  assert.match(stderr, /watch: no new incident on Shop \(PSHOP\) in 5 s/)
  assert.equal((JSON.parse(stdout) as { watch: { outcome: string } }).watch.outcome, 'clear')
})

test('a command that fails is not watched', async () => {
  simulator.seed(accountWith())
  const { code, stderr } = await start([], [process.execPath, '-e', 'process.exit(3)']).ended
  assert.equal(code, 3)
  assert.doesNotMatch(stderr, /no new incident/)
})

for (const [name, env, strict] of [
  ['PagerDuty’s REST API does not answer', {}, 75],
  ['no REST API token is set', { PAGERDUTY_API_TOKEN: '' }, 78],
  ['no service is set', { PAGERDUTY_SERVICE_ID: '' }, 78],
] as const) {
  test(`${name}: the command’s own status, ${strict} with --strict, and the deployment is reported`, async () => {
    simulator.seed(accountWith())
    for (const [options, status] of [
      [[], 0],
      [['--strict'], strict],
    ] as const) {
      simulator.behave({ endpoint: '/incidents', behaviour: { kind: 'answer', status: 500 } })
      const { code, stderr } = await start(['--deadline', '5s', ...options], OK, env).ended
      assert.equal(code, status, stderr)
    }
    assert.equal(simulator.changes.length, 2)
  })
}

for (const [options, status] of [
  [[], 0],
  [['--strict'], 75],
] as const) {
  test(`SIGTERM ends the watch ${options.join('')}: ${status}`, async (t) => {
    simulator.seed(accountWith())
    const { child, ended } = start(['--watch', '10m', ...options])
    t.after(() => child.kill('SIGKILL'))
    await until(isReported, 'the report')
    await untilLooks(2)
    child.kill('SIGTERM')
    assert.equal((await ended).code, status)
  })
}

for (const options of [
  ['--watch', 'soon'],
  ['--urgency', 'high'],
  ['--watch', '1m', '--for', '1m'],
]) {
  test(`run ${options.join(' ')} is refused or reported as nothing`, async () => {
    const { ended } = startProgram(['run', ...options, '--strict', '--', ...OK], {
      env: { PAGERDUTY_TOKEN: KEY },
    })
    assert.ok([64, 78].includes((await ended).code ?? 0))
  })
}
