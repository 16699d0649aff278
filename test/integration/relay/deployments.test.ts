import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEY } from '../../support/program.ts'
import { alertBody, keyFor, post, type RunningRelay } from '../../support/relay.ts'
import { shareRelays } from '../../support/share-relays.ts'

const shared = await shareRelays()
const { simulator } = shared
const startRelay = (env: Record<string, string>): Promise<RunningRelay> =>
  shared.startRelay({ PAGERDUTY_ENVIRONMENT: 'production', ...env })
const spool = (): Record<string, string> => ({ PAGERDUTY_SPOOL: shared.newSpool() })

interface Page {
  readonly deployments: Record<string, unknown>[]
  readonly next?: number
}
async function list({ url }: RunningRelay, query = ''): Promise<Page> {
  return (await (await fetch(`${url}/deployments${query}`)).json()) as Page
}

for (const kind of ['with', 'without'] as const) {
  test(`a relay ${kind} a spool lists what was deployed, and whether PagerDuty knows`, async () => {
    const relay = await startRelay(kind === 'with' ? spool() : {})
    const wait = { prefer: 'wait=20' }
    const details = { committer: 'Zoë ÅNGSTRÖM' }
    assert.equal((await post(`${relay.url}/failure`, { exit_code: 3, details }, wait)).status, 202)
    assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody(), wait)).status, 202)
    const { deployments, next } = await list(relay)
    assert.equal(next, undefined)
    const [{ id, started_at: startedAt, ended_at: endedAt, event_ids: eventIds, ...rest } = {}, more] =
      deployments
    assert.equal(more, undefined)
    assert.deepEqual(
      [typeof id, startedAt, typeof endedAt, Array.isArray(eventIds)],
      ['number', undefined, 'string', true],
    )
    assert.deepEqual(
      [rest['identity'], rest['outcome'], rest['environment'], rest['told'], rest['ci']],
      [`deploy/${String(rest['repository'])}/production`, 'failure', 'production', 'delivered', 'Codeship'],
    )
    assert.equal((await list(relay, '?outcome=success')).deployments.length, 0)
    assert.equal((await list(relay, '?environment=production&since=1h')).deployments.length, 1)
    assert.equal((await list(relay, `?before=${String(id)}`)).deployments.length, 0)
    const search = `?text=${encodeURIComponent('ZOË ångström')}`
    assert.equal((await list(relay, search)).deployments.length, 1)
  })
}

test('the key of a caller is masked in what it says about a deployment', async () => {
  const relay = await startRelay(spool())
  const key = keyFor('caller')
  const members = { environment: `e-${key}`, summary: `s ${key}`, output: key }
  await post(`${relay.url}/failure`, { routing_key: key, ...members })
  await post(`${relay.url}/success`, members, { 'x-routing-key': key })
  await post(`${relay.url}/started`, { routing_key: key, within: '30m', ...members })
  const { deployments } = await list(relay)
  assert.equal(deployments.length, 3)
  assert.ok(!JSON.stringify(deployments).includes(key))
  for (const { id } of deployments)
    assert.ok(!(await (await fetch(`${relay.url}/deployments/${String(id)}`)).text()).includes(key))
})

test('a query that cannot be meant is refused with what would be', async () => {
  const relay = await startRelay({})
  for (const [query, says] of [
    ['?outcome=great', /started, success, failure, cancelled/],
    ['?since=yesterday', /12h or 30d/],
    ['?before=x', /as next/],
  ] as const) {
    const answer = await fetch(`${relay.url}/deployments${query}`)
    assert.equal(answer.status, 400)
    assert.match(((await answer.json()) as { detail: string }).detail, says)
  }
})

test('a failed deployment is shown with the last good one, how to go back to it, and its output while it is kept', async () => {
  const relay = await startRelay({
    ...spool(),
    PAGERDUTY_ROLLBACK_HINT: 'kubectl set image shop=shop:{{shortCommit}} # {{environment}}, {{message}}',
  })
  const details = { build_id: '1', commit: 'c0ffee0123456789', commit_message: 'Works\n\nWell' }
  await post(`${relay.url}/success`, { details })
  await post(`${relay.url}/success`, { details: { build_id: '2' }, environment: 'staging' })
  simulator.behave({ behaviour: { kind: 'answer', status: 400, body: 'no' } })
  await post(`${relay.url}/failure`, { details: { build_id: '3' }, output: `last words ${KEY}` })
  const { deployments } = await list(relay)
  const [failed, staging, good] = deployments
  const show = async (id: unknown): Promise<Record<string, unknown>> =>
    (await (await fetch(`${relay.url}/deployments/${String(id)}`)).json()) as Record<string, unknown>
  const { last_good: lastGood, rollback_hint: hint, output, ...rest } = await show(failed?.['id'])
  assert.deepEqual([rest['build_id'], rest['outcome']], ['3', 'failure'])
  assert.equal((lastGood as { id: unknown }).id, good?.['id'])
  assert.equal(hint, 'kubectl set image shop=shop:c0ffee0 # production, Works')
  assert.equal(rest['changes_url'], undefined)
  assert.match(String(output), /^last words \S*\w{4}$/)
  assert.doesNotMatch(JSON.stringify([output, rest]), new RegExp(KEY))
  const { rollback_hint: none, ...ofSuccess } = await show(staging?.['id'])
  assert.deepEqual([ofSuccess['build_id'], none, ofSuccess['last_good']], ['2', undefined, undefined])
  for (const id of ['1', 'x', '1e3'])
    assert.equal((await fetch(`${relay.url}/deployments/${id}`)).status, 404)
  for (const [query, builds] of [
    ['?current=true', ['3', '2', '1']],
    ['?text=C0FFEE', ['1']],
    ['?identity=deploy/none', []],
  ] as const)
    assert.deepEqual(
      (await list(relay, query)).deployments.map(({ build_id: build }) => build),
      builds,
      query,
    )
})

test('what was deployed outlives kill -9, and waits to be told while PagerDuty is down', async () => {
  const env = spool()
  simulator.behave({ behaviour: { kind: 'reset', after: 'headers' } })
  const first = await startRelay(env)
  assert.equal((await post(`${first.url}/success`, {})).status, 202)
  await first.stop('SIGKILL')
  const second = await startRelay(env)
  const [before] = (await list(second)).deployments
  assert.deepEqual([before?.['outcome'], before?.['told']], ['success', 'waiting'])
  simulator.reset()
  await simulator.waitForRequests(2)
  while ((await list(second)).deployments[0]?.['told'] !== 'delivered')
    await new Promise((resolve) => setTimeout(resolve, 20))
})

test('a page has 200 deployments, and says where the next one begins', async () => {
  const relay = await startRelay(spool())
  const body = (build: number): object => ({ details: { build_id: String(build) } })
  await Promise.all(Array.from({ length: 205 }, (_, build) => post(`${relay.url}/success`, body(build))))
  const first = await list(relay)
  const second = await list(relay, `?before=${String(first.next)}`)
  assert.deepEqual([first.deployments.length, second.deployments.length, second.next], [200, 5, undefined])
  const ids = [...first.deployments, ...second.deployments].map(({ id }) => id)
  assert.equal(new Set(ids).size, 205)
})

test('the figures of the last 30 days are metrics, each with its definition', async () => {
  const relay = await startRelay(spool())
  await post(`${relay.url}/failure`, { details: { build_id: '1' } })
  await post(`${relay.url}/success`, { details: { build_id: '2', duration_seconds: 60 } })
  const text = await (await fetch(`${relay.url}/metrics`)).text()
  assert.match(text, /^pagerduty_alert_deployment_failure_ratio 0\.5$/m)
  assert.match(text, /^pagerduty_alert_deployment_duration_seconds 60$/m)
  assert.match(
    text,
    /^# HELP pagerduty_alert_deployments_per_day Of the last 30 days: successful deployments/m,
  )
  assert.match(text, /^pagerduty_alert_deployment_recovery_seconds \d/m)
})
