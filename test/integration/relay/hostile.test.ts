import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { HOSTILE_BODIES, HOSTILE_TEXTS, MAX_BYTES } from '../../support/hostile.ts'
import { CODESHIP_PRO, KEY } from '../../support/program.ts'
import { post, startRelay } from '../../support/relay.ts'

/** Far above what any machine takes for a request, and far below what one of these took when time grew like a square. */
const GUARD_MS = 8000

const simulator = await startSimulator()
const relay = await startRelay({ ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url })
after(async () => {
  await relay.stop()
  await simulator.close()
})

async function answersInTime(what: string, ask: () => Promise<Response>): Promise<void> {
  const startMs = performance.now()
  const response = await ask()
  await response.arrayBuffer()
  assert.ok(performance.now() - startMs < GUARD_MS, what)
  assert.ok(response.status < 500 || response.status === 503, `${what}: ${response.status}`)
}

const ROUTES = [
  '/v2/enqueue',
  '/v2/change/enqueue',
  '/success',
  '/failure',
  '/started',
  '/events/retry',
  '/events/discard',
  '/events/1/discard',
  '/ui/session',
]
for (const route of ROUTES) {
  test(`${route} answers every hostile body in time`, async () => {
    for (const { name, make } of HOSTILE_BODIES)
      await answersInTime(`${route} ${name}`, () => post(`${relay.url}${route}`, make(MAX_BYTES)))
    assert.equal((await fetch(`${relay.url}/healthz`)).status, 200)
  })
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
test('/failure answers every hostile text in a form and in its headers in time', async () => {
  for (const [index, { name, make }] of HOSTILE_TEXTS.entries()) {
    const field =
      ['summary=', 'output=', 'links=', 'details=', 'severity=', 'environment=', ''][index % 7] ?? ''
    await answersInTime(`${field} ${name}`, () =>
      post(`${relay.url}/failure`, field + make(MAX_BYTES - 20), FORM),
    )
    const header = make(8000).replaceAll(/[^ -~]/g, ' ')
    await answersInTime(`headers of ${name}`, () =>
      post(`${relay.url}/failure`, '{}', { prefer: header, 'x-routing-key': header }),
    )
  }
})

test('every route answers hostile paths and queries in time', async () => {
  for (const { name, make } of HOSTILE_TEXTS) {
    const text = encodeURI(make(4000).toWellFormed()).slice(0, 8000).replaceAll(/%.?$/g, '')
    for (const path of [
      '/',
      '/events?status=',
      '/events?after=',
      '/deployments?text=',
      '/deployments?since=',
    ])
      await answersInTime(`${path} ${name}`, () => fetch(`${relay.url}${path}${text}`))
  }
})
