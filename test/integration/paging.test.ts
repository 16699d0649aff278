import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram, type Run } from '../support/program.ts'
import { post, type RunningRelay } from '../support/relay.ts'
import { shareRelays } from '../support/share-relays.ts'

/*
 * Whom failures page: `--failure-as change` never, `--after N` from the Nth failure in a row on.
 */

const { simulator, env: ENV, startRelay, newSpool } = await shareRelays()
const relayWith = (env: Record<string, string> = {}): Promise<RunningRelay> =>
  startRelay({ CI_BUILD_ID: '', ...env })

type Settings = Readonly<Record<string, string>>
async function deploy(build: number, args: readonly string[], settings: Settings): Promise<Run> {
  return await runProgram(args, { env: { ...ENV, CI_BUILD_ID: `build-${build}`, ...settings } })
}
const FAILING = ['failure', '--after', '3']

/** What PagerDuty was told: the summaries of change events, and how often somebody was paged. */
function heard(): { changes: string[]; pages: number } {
  return {
    changes: simulator.changes.map(({ payload }) => payload.summary),
    pages: simulator.alerts.reduce((sum, { triggers }) => sum + triggers, 0),
  }
}
const NTH = (nth: string): string =>
  `Deployment of acme/shop@5f0c1d2 to master failed, ${nth} of 3 before somebody is paged (Jane Doe: Fix the checkout)`

/** Three places that count, as settings for the commands that fail. */
const COUNTERS: Readonly<Record<string, () => Promise<Settings>>> = {
  'a spool': () => Promise.resolve({ PAGERDUTY_SPOOL: newSpool() }),
  'a relay': async () => ({ PAGERDUTY_RELAY_URL: (await relayWith()).url }),
  'a relay with a spool': async () => ({
    PAGERDUTY_RELAY_URL: (await relayWith({ PAGERDUTY_SPOOL: newSpool() })).url,
  }),
}
/** Waits until a relay has delivered what it accepted. */
const settled = (settings: Settings): Promise<Run> => runProgram(['flush'], { env: { ...ENV, ...settings } })

for (const [name, counter] of Object.entries(COUNTERS)) {
  test(`with ${name}, two failures are change events, the third pages, and a success starts again`, async () => {
    const settings = await counter()
    const first = await deploy(1, [...FAILING, '--json'], settings)
    assert.match(first.stderr, /warning: nobody is paged: 1st of 3 before somebody is paged/)
    const { events } = JSON.parse(first.stdout) as { events: { kind: string }[] }
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['change'],
    )
    await deploy(2, FAILING, settings)
    await settled(settings)
    assert.deepEqual(heard(), { changes: [NTH('1st'), NTH('2nd')], pages: 0 })
    await deploy(3, FAILING, settings)
    await deploy(4, FAILING, settings)
    await settled(settings)
    assert.deepEqual(heard(), { changes: [NTH('1st'), NTH('2nd')], pages: 2 })
    assert.equal(simulator.alerts.length, 1, 'on the same alert')
    const details = simulator.alerts[0]?.event.payload?.custom_details as Record<string, unknown>
    assert.equal(details['failures_in_a_row'], 4)
    await deploy(5, ['success'], settings)
    await deploy(6, FAILING, settings)
    await settled(settings)
    const { changes, pages } = heard()
    assert.deepEqual([changes.at(-1), pages], [NTH('1st'), 2])
    assert.equal(simulator.alerts[0]?.status, 'resolved')
  })

  test(`with ${name}, a failure that is reported again counts once, and a cancelled deployment not at all`, async () => {
    const settings = await counter()
    await deploy(1, FAILING, settings)
    await deploy(1, FAILING, settings)
    await deploy(2, ['--status', 'cancelled'], { ...settings, PAGERDUTY_AFTER: '3' })
    await deploy(3, FAILING, settings)
    await settled(settings)
    const { changes, pages } = heard()
    assert.equal(pages, 0)
    assert.deepEqual([changes.at(0), changes.at(1), changes.at(-1)], [NTH('1st'), NTH('1st'), NTH('2nd')])
  })

  test(`with ${name}, of four failures at the same time one is the fourth`, async () => {
    const settings = await counter()
    await Promise.all([1, 2, 3, 4].map((build) => deploy(build, ['failure', '--after', '4'], settings)))
    await settled(settings)
    const { changes, pages } = heard()
    assert.equal(pages, 1, changes.join('\n'))
    const nth = changes
      .map((summary) => / (\w+) of 4 /.exec(summary)?.[1] ?? '')
      .toSorted((a, b) => a.localeCompare(b))
    assert.deepEqual(nth, ['1st', '2nd', '3rd'])
  })
}

test('run counts each attempt of a build that is run again, and keeps the status of its command', async () => {
  const settings = { PAGERDUTY_SPOOL: newSpool(), PAGERDUTY_AFTER: '2' }
  const attempt = (): Promise<Run> =>
    deploy(1, ['run', '--', process.execPath, '-e', 'process.exit(3)'], settings)
  assert.equal((await attempt()).code, 3)
  assert.equal(heard().pages, 0)
  assert.equal((await attempt()).code, 3)
  assert.equal(heard().pages, 1)
})

test('a soft failure counts, and never pages', async () => {
  const settings = { PAGERDUTY_SPOOL: newSpool(), PAGERDUTY_AFTER: '2' }
  const soft = ['run', '--soft-fail', '3', '--', process.execPath, '-e', 'process.exit(3)']
  await deploy(1, ['failure'], settings)
  await deploy(2, soft, settings)
  await deploy(3, soft, settings)
  assert.equal(heard().pages, 0)
  await deploy(4, ['failure'], settings)
  assert.equal(heard().pages, 1)
})

test('a deployment to another environment has a count of its own', async () => {
  const settings = { PAGERDUTY_SPOOL: newSpool(), PAGERDUTY_AFTER: '2' }
  await deploy(1, ['failure', '--environment', 'staging'], settings)
  await deploy(2, ['failure', '--environment', 'production'], settings)
  assert.equal(heard().pages, 0)
})

test('a success that PagerDuty gets only later counts at once', async () => {
  const settings = { PAGERDUTY_SPOOL: newSpool(), PAGERDUTY_AFTER: '2' }
  await deploy(1, ['failure'], settings)
  simulator.behave({ behaviour: { kind: 'answer', status: 503 } })
  assert.match((await deploy(2, ['success', '--deadline', '300ms'], settings)).stderr, /kept in the spool/)
  simulator.behave({ behaviour: { kind: 'usual' } })
  await deploy(3, ['failure'], settings)
  assert.equal(heard().pages, 0)
})

test('--summary says which failure it is, too', async () => {
  await deploy(1, [...FAILING, '--summary', 'Shop is not out'], { PAGERDUTY_SPOOL: newSpool() })
  assert.deepEqual(heard().changes, ['Shop is not out (1st of 3 before somebody is paged)'])
})

for (const kind of ['with', 'without'] as const) {
  test(`a relay ${kind} a spool counts what is posted to /failure`, async () => {
    const env = { PAGERDUTY_AFTER: '3', ...(kind === 'with' && { PAGERDUTY_SPOOL: newSpool() }) }
    const { url } = await relayWith(env)
    const wait = { prefer: 'wait=30' }
    for (let count = 0; count < 2; count++) await post(`${url}/failure`, {}, wait)
    assert.deepEqual(heard(), { changes: [NTH('1st'), NTH('2nd')], pages: 0 })
    await post(`${url}/success`, {}, wait)
    await post(`${url}/failure`, { after: 2 }, wait)
    await post(`${url}/failure`, { failure_as: 'change' }, wait)
    assert.equal(heard().pages, 0)
    await post(`${url}/failure`, { after: 2 }, wait)
    await post(`${url}/failure`, { after: 'nonsense' }, wait)
    assert.equal(heard().pages, 2)
  })
}

test('a relay that is killed goes on counting after it is started again', async () => {
  const env = { PAGERDUTY_AFTER: '2', PAGERDUTY_SPOOL: newSpool() }
  const relay = await relayWith(env)
  assert.equal((await post(`${relay.url}/failure`, {})).status, 202)
  await relay.stop('SIGKILL')
  const next = await relayWith(env)
  await post(`${next.url}/failure`, {}, { prefer: 'wait=30' })
  assert.equal(heard().pages, 1)
})

test('if the relay cannot count, somebody is paged', async () => {
  const { stderr } = await deploy(1, FAILING, { PAGERDUTY_RELAY_URL: simulator.url })
  assert.match(stderr, /warning: failures are not counted, so this one pages: the relay answers 404/)
  assert.deepEqual(
    simulator.requests.map(({ json }) => (json as { event_action?: string }).event_action),
    ['trigger', 'trigger'],
    'the failure to be counted, and the alert',
  )
})

test('without anything that counts, failure and success are refused: 78', async () => {
  for (const [args, settings] of [
    [FAILING, {}],
    [['failure'], { PAGERDUTY_AFTER: '2' }],
    [['success'], { PAGERDUTY_AFTER: '2' }],
  ] as const) {
    const { code, stderr } = await deploy(1, args, settings)
    assert.equal(code, 78)
    assert.match(stderr, /--after \(PAGERDUTY_AFTER\) needs something that remembers earlier failures/)
  }
  assert.equal(simulator.requests.length, 0)
})

test('without anything that counts, run keeps the status of its command and says so; with --strict 78', async () => {
  const run = async (...options: string[]): Promise<Run> =>
    await deploy(1, ['run', '--after', '2', ...options, '--', process.execPath, '-e', ''], {})
  const { code, stderr } = await run()
  assert.equal(code, 0)
  assert.match(stderr, /--after \(PAGERDUTY_AFTER\) needs .*\n.*its outcome will not be reported/)
  assert.equal((await run('--strict')).code, 78)
})

test('doctor says that nothing counts', async () => {
  const { code, stdout, stderr } = await deploy(1, ['doctor'], { PAGERDUTY_AFTER: '2' })
  assert.equal(code, 78)
  assert.match(stdout + stderr, /--after \(PAGERDUTY_AFTER\) needs something/)
})

test('--failure-as change reports a failure and pages nobody; with it nothing has to count', async () => {
  for (const args of [
    ['failure', '--failure-as', 'change'],
    ['failure', '--failure-as', 'CHANGE', '--after', '2'],
    ['run', '--failure-as', 'change', '--', process.execPath, '-e', 'process.exit(3)'],
  ]) {
    simulator.reset()
    await deploy(1, args, {})
    const { changes, pages } = heard()
    assert.equal(pages, 0)
    assert.match(changes.join('\n'), /^Deployment of acme\/shop@5f0c1d2 to master failed/)
  }
})

for (const args of [
  ['failure', '--after', '0'],
  ['failure', '--after', '101'],
  ['failure', '--failure-as', 'nothing'],
  ['success', '--after', '2'],
  ['success', '--failure-as', 'change'],
  ['change', '--summary', 's', '--after', '2'],
]) {
  test(`${args.join(' ')} is a usage error`, async () => {
    assert.equal((await deploy(1, args, {})).code, 64)
  })
}

test('an unknown failure is not counted by a relay: 400', async () => {
  const { url } = await relayWith()
  for (const body of ['{}', '[]', 'x', JSON.stringify({ event_action: 'resolve', dedup_key: 'k' })])
    assert.equal((await post(`${url}/deployments/failures`, body)).status, 400)
})
