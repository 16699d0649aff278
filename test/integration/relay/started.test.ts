import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { withMoreTime } from '../../support/more-time.ts'
import { CODESHIP_PRO } from '../../support/program.ts'
import { keyFor, post, type RunningRelay } from '../../support/relay.ts'
import { until } from '../../support/until.ts'
import { shareRelays } from '../../support/share-relays.ts'

const shared = await shareRelays()
const { simulator } = shared
const startRelay = (env: Record<string, string> = {}): Promise<RunningRelay> =>
  shared.startRelay({ PAGERDUTY_ENVIRONMENT: 'production', ...env })
const spool = (): Record<string, string> => ({ PAGERDUTY_SPOOL: shared.newSpool() })
const KINDS = [
  ['with', 'on disk', spool],
  ['without', 'in memory', (): Record<string, string> => ({})],
] as const

async function begin({ url }: RunningRelay, body: unknown): Promise<Record<string, unknown>> {
  const answer = await post(`${url}/started`, body)
  assert.equal(answer.status, 202)
  return (await answer.json()) as Record<string, unknown>
}

async function deployments({ url }: RunningRelay): Promise<Record<string, unknown>[]> {
  const answer = await fetch(`${url}/deployments`)
  return ((await answer.json()) as { deployments: Record<string, unknown>[] }).deployments
}

async function metric({ url }: RunningRelay, name: string): Promise<string | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return text
    .split('\n')
    .find((line) => line.startsWith(name))
    ?.slice(name.length + 1)
}

const summaries = (): (string | undefined)[] => simulator.alerts.map(({ event }) => event.payload?.summary)
const openAlerts = (): number => simulator.alerts.filter(({ status }) => status !== 'resolved').length
const NEVER =
  /^Deployment of acme\/shop@5f0c1d2 to production began \d+ seconds? ago \(build 2c8f9f4a-.*\) and never ended$/
const OPEN = 'pagerduty_alert_deployment_deadlines{state="open"}'

for (const [kind, kept, env] of KINDS) {
  test(`a relay ${kind} a spool pages for a deployment that never ends, and the next success resolves that`, async () => {
    const relay = await startRelay(env())
    const { due_at: dueAt, ...answer } = await begin(relay, { within: '1h' })
    assert.equal(answer['kept'], kept)
    const [first] = await deployments(relay)
    assert.deepEqual(
      [first?.['outcome'], typeof first?.['due_at'], typeof dueAt],
      ['started', 'string', 'string'],
    )
    assert.equal(await metric(relay, OPEN), '1')
    const { due_at: stillDueAt, message } = await begin(relay, {})
    assert.match(
      String(message),
      /^The failure alert is triggered/,
      'a start without a limit leaves the clock alone',
    )
    const [again] = await deployments(relay)
    for (const due of [stillDueAt, again?.['due_at']])
      assert.ok(Math.abs(Date.parse(String(due)) - Date.parse(String(dueAt))) < 60_000, String(due))
    await begin(relay, { within: '200ms' })
    await simulator.waitForRequests(1, 60_000)
    const [summary] = summaries()
    assert.match(summary ?? '', NEVER)
    await until(() => relay.log().includes('deployment is overdue'), 'the line in the log')
    const [overdue, more] = await deployments(relay)
    assert.deepEqual([overdue?.['outcome'], overdue?.['overdue'], more], ['failure', true, undefined])
    assert.equal(await metric(relay, 'pagerduty_alert_deployments_overdue_total'), '1')
    assert.equal(openAlerts(), 1)
    await post(`${relay.url}/success`, {})
    await until(() => openAlerts() === 0, 'the resolve')
    const [ended] = await deployments(relay)
    assert.deepEqual([ended?.['outcome'], ended?.['overdue']], ['success', undefined])
  })

  test(`a relay ${kind} a spool forgets the deadline when the outcome comes, and when it is cancelled`, async () => {
    const cancelled = {
      summary: 'cancelled',
      source: 'acme/shop',
      custom_details: {
        outcome: 'cancelled',
        repository: 'acme/shop',
        environment: 'staging',
        build_id: CODESHIP_PRO['CI_BUILD_ID'],
      },
    }
    await withMoreTime(async (withinMs) => {
      simulator.reset()
      const relay = await startRelay(env())
      const within = `${withinMs}ms`
      await begin(relay, { within })
      await post(`${relay.url}/success`, {}, { prefer: 'wait=30' })
      await begin(relay, { within, environment: 'staging' })
      await post(`${relay.url}/v2/change/enqueue`, { payload: cancelled }, { prefer: 'wait=30' })
      assert.equal(await metric(relay, OPEN), '0')
      await sleep(1.5 * withinMs)
      assert.deepEqual(summaries(), [])
    })
  })
}

test('a deadline outlives kill -9 of the relay, and is noticed by one that is started after it', async () => {
  const env = spool()
  const first = await startRelay(env)
  await begin(first, { within: '1s' })
  await begin(first, { within: '1s', environment: 'staging' })
  await begin(first, { within: '1h', environment: 'test' })
  await first.stop('SIGKILL')
  await sleep(1000)
  const second = await startRelay(env)
  // Its caller tried again until the relay was there, so this is not too late.
  await post(`${second.url}/success`, { environment: 'staging' })
  await until(() => simulator.alerts.length > 0, 'the alert')
  await until(() => second.log().includes('deployment is overdue'), 'the line in the log')
  assert.deepEqual(
    simulator.alerts.map(({ event }) => event.dedup_key),
    ['deploy/acme/shop/production'],
  )
  assert.equal(await metric(second, OPEN), '1')
})

test('while PagerDuty is down, a relay without a spool tries again until it has the alert', async () => {
  simulator.behave({ behaviour: { kind: 'reset', after: 'headers' } })
  const relay = await startRelay()
  await begin(relay, { within: '200ms' })
  await simulator.waitForRequests(1, 60_000)
  simulator.reset()
  await until(() => summaries().length > 0, 'the alert')
  assert.match(summaries()[0] ?? '', NEVER)
})

test('a start is taken as a form, and with a default for its time', async () => {
  const relay = await startRelay({ PAGERDUTY_WITHIN: '45m' })
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await post(`${relay.url}/started`, 'environment=staging&within=10m', form)
  assert.equal(answer.status, 202)
  assert.equal(((await answer.json()) as { dedup_key: string }).dedup_key, 'deploy/acme/shop/staging')
  const leftMs = (at: unknown): number => Date.parse(String(at)) - Date.now()
  assert.ok(leftMs((await begin(relay, ''))['due_at']) > 40 * 60_000)
  const dues = (await deployments(relay)).map((each) => Math.round(leftMs(each['due_at']) / 60_000))
  assert.deepEqual(dues, [45, 10])
})

test('without a time a deployment is only recorded', async () => {
  const relay = await startRelay()
  const answer = await begin(relay, {})
  assert.deepEqual(
    [answer['due_at'], answer['message']],
    [undefined, 'The deployment is recorded, and nothing watches the clock for it'],
  )
  assert.equal((await deployments(relay))[0]?.['outcome'], 'started')
})

test('a caller may describe the deployment itself, with a key of its own', async () => {
  const relay = await startRelay(spool())
  const key = keyFor('started')
  const event = {
    routing_key: key,
    event_action: 'trigger',
    dedup_key: 'my-own',
    payload: { summary: 'Nightly export', source: 'cron-1', severity: 'warning' },
  }
  await begin(relay, { within: '300ms', event })
  await until(() => simulator.alerts.length > 0, 'the alert')
  const [alert] = simulator.alerts
  assert.match(alert?.event.payload?.summary ?? '', /^Nightly export began \d+ seconds? ago and never ended$/)
  const [sent] = simulator.requests
  assert.equal((sent?.json as { routing_key?: string } | undefined)?.routing_key, key)
})

for (const [what, body, says] of [
  ['a time that is none', { within: 'soon' }, /within: must be a duration/],
  ['an elapsed time that is none', { elapsed: {} }, /elapsed: must be a duration/],
  ['a blank severity of another word', { severity: 'awful' }, /severity: must be one of/],
  ['an event that is none', { event: 7 }, /event: must be an object/],
  ['an event without a summary', { event: { event_action: 'trigger', dedup_key: 'a' } }, /event: /],
  [
    'an event that is not a trigger',
    { event: { event_action: 'resolve', dedup_key: 'a' } },
    /must be a trigger with a dedup_key/,
  ],
] as const) {
  test(`${what} is refused`, async () => {
    const relay = await startRelay()
    const answer = await post(`${relay.url}/started`, body)
    assert.equal(answer.status, 400)
    assert.match(JSON.stringify(await answer.json()), says)
    assert.deepEqual(await deployments(relay), [])
  })
}
