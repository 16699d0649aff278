import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSpool } from '../../src/spool/open.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { formatCount, recordFigure } from '../support/figures.ts'
import { residentMegabytes } from '../support/memory.ts'
import { alertBody, post, startRelay } from '../support/relay.ts'
import { alertItem, ownKey, temporaryDirectory } from '../support/spool.ts'

/** Events that wait, and the keys that they wait for; `npm run scale` has more of both. */
const EVENTS = Number(process.env['SCALE_EVENTS'] ?? 20_000)
const KEYS = EVENTS / 100
const BATCH = 1000
/** Bounds that only something worse than linear passes. */
const MAX_MS = 30_000
const MAX_MEGABYTES = 512

test(`with ${EVENTS} pending events of ${KEYS} keys a relay starts, accepts, lists and delivers as if there were few`, async (t) => {
  const directory = temporaryDirectory(t)
  await fill(directory)
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const startedAtMs = performance.now()
  const relay = await startRelay({
    PAGERDUTY_EVENTS_URL: simulator.url,
    PAGERDUTY_SPOOL: directory,
    PAGERDUTY_SPOOL_LIMIT: String(2 * EVENTS),
  })
  t.after(() => relay.stop('SIGKILL'))
  const start = performance.now() - startedAtMs
  await simulator.waitForRequests(1, MAX_MS)
  const firstDelivery = performance.now() - startedAtMs
  simulator.behave({ behaviour: { kind: 'hang', after: 'request' } }) // so that what is measured is not its load

  const ask = (path: string) => () => fetch(`${relay.url}${path}`)
  const own = { dedup_key: 'one more', routing_key: 'f'.repeat(32) }
  const durations = {
    start,
    'first delivery': firstDelivery,
    accept: await measure(() => post(`${relay.url}/v2/enqueue`, alertBody(own))),
    list: await measure(ask('/events?status=pending')),
    metrics: await measure(ask('/metrics')),
    retry: await measure(() => post(`${relay.url}/events/retry`, {})),
  }
  const megabytes = residentMegabytes(relay.program.child.pid ?? 0)
  t.diagnostic(JSON.stringify({ ...durations, megabytes }))
  recordFigure('scale events', formatCount(EVENTS))
  recordFigure('scale keys', formatCount(KEYS))
  recordFigure('scale memory', `${megabytes} MB`)
  for (const [name, durationMs] of Object.entries(durations)) {
    assert.ok(durationMs < MAX_MS, `${name}: ${durationMs} ms`)
    recordFigure(`scale ${name}`, `${Math.ceil(durationMs)} ms`)
  }
  assert.ok(megabytes < MAX_MEGABYTES, `${megabytes} MB`)
})

/** Adds events in such an order that those of a key are far from one another. */
async function fill(directory: string): Promise<void> {
  const warnings: string[] = []
  const onWarning = (message: string): void => void warnings.push(message)
  const spool = await openSpool({ directory, limit: EVENTS, onWarning })
  for (let first = 0; first < EVENTS; first += BATCH) {
    const items = Array.from({ length: BATCH }, (_, index) => {
      const number = first + index
      return alertItem('trigger', `alert-${number % (10 * KEYS)}`, ownKey(number % KEYS))
    })
    assert.equal((await spool.add(items)).kind, 'added')
  }
  await spool.close()
  assert.deepEqual(warnings, [])
}

/** The median of some, in milliseconds, from the request to the last byte of the answer. */
async function measure(request: () => Promise<Response>): Promise<number> {
  const durations: number[] = []
  for (let count = 0; count < 9; count++) {
    const startedAtMs = performance.now()
    const answer = await request()
    await answer.arrayBuffer()
    assert.ok(answer.ok, `${answer.status}`)
    durations.push(performance.now() - startedAtMs)
  }
  return durations.toSorted((a, b) => a - b)[4] ?? 0
}
