import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'

const KEY = '0123456789abcdef0123456789abcdef'
const TRIGGER = {
  routing_key: KEY,
  event_action: 'trigger',
  dedup_key: 'k',
  payload: { summary: 's', source: 'ci', severity: 'error' },
}
const CHANGE = { routing_key: KEY, payload: { summary: 'Deployed' } }

const post = (url: string, body: unknown): Promise<Response> =>
  fetch(url, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })

test('the state tells other processes what came, without a whole key', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  await post(`${simulator.url}/v2/enqueue`, TRIGGER)
  await post(`${simulator.url}/v2/change/enqueue`, CHANGE)
  await post(`${simulator.url}/v2/enqueue`, { routing_key: 'u+abcdefghijklmnopqr' })
  const response = await fetch(`${simulator.url}/_simulator/state`)
  const text = await response.text()
  for (const secret of [KEY, 'u+abcdefghijklmnopqr']) assert.equal(text.includes(secret), false, secret)
  assert.match(String(response.headers.get('content-type')), /^application\/json/)
  const state = JSON.parse(text) as Record<'requests' | 'alerts' | 'changes', Record<string, unknown>[]>
  assert.equal(state.requests.length, 3)
  assert.equal(state.requests[0]?.['bodyBytes'], JSON.stringify(TRIGGER).length)
  assert.deepEqual(state.requests[1]?.['json'], { ...CHANGE, routing_key: '…cdef' })
  assert.equal(state.alerts[0]?.['status'], 'triggered')
  assert.deepEqual(state.changes, [{ ...CHANGE, routing_key: '…cdef' }])
})

test('other processes say how to behave and start afresh', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const instruction = { endpoint: '/v2/enqueue', times: 1, behaviour: { kind: 'answer', status: 418 } }
  assert.equal((await post(`${simulator.url}/_simulator/behave`, instruction)).status, 204)
  assert.equal((await post(`${simulator.url}/v2/enqueue`, TRIGGER)).status, 418)
  assert.equal((await post(`${simulator.url}/v2/enqueue`, TRIGGER)).status, 202)
  assert.equal((await fetch(`${simulator.url}/_simulator/reset`, { method: 'POST' })).status, 204)
  assert.deepEqual([...simulator.requests, ...simulator.alerts], [])
})

test('an instruction that makes no sense is refused', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const refused = await post(`${simulator.url}/_simulator/behave`, { behaviour: { kind: 'explode' } })
  assert.equal(refused.status, 400)
  assert.match(await refused.text(), /behaviour/)
  assert.equal((await fetch(`${simulator.url}/_simulator/behave`, { method: 'POST' })).status, 400)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`run by hand it prints its URL and what comes, and ends at once on ${signal}`, async (t) => {
    const child = spawn(process.execPath, ['tools/simulator/main.ts'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const url = /http:\S+$/.exec(String((await lines.next()).value))?.[0]
    assert.ok(url)
    await post(`${url}/v2/change/enqueue`, CHANGE)
    let line = ''
    while (!/^\d\d:/.test(line)) line = String((await lines.next()).value) // how to use it comes first
    assert.match(line, /^[\d:]{8}  change event: "Deployed", routing key …cdef$/)

    await post(`${url}/_simulator/behave`, { behaviour: { kind: 'hang', after: 'request' } })
    const hung = assert.rejects(post(`${url}/v2/enqueue`, TRIGGER))
    await lines.next()
    const startedMs = performance.now()
    child.kill(signal)
    assert.deepEqual(await once(child, 'exit'), [0, null])
    assert.ok(performance.now() - startedMs < 10_000)
    await hung
  })
}
