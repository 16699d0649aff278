import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'

const ACCOUNT = 'account_token_123456'
const READ_ONLY = 'readonly_token_12345'
const USER = 'user_token_123456789'
const KEY = '0123456789abcdef0123456789abcdef'
const DAY_MS = 86_400_000
const ago = (ms: number): string => new Date(Date.now() - ms).toISOString()

const simulator = await startSimulator({
  rest: {
    tokens: [
      { token: ACCOUNT, kind: 'account' },
      { token: READ_ONLY, kind: 'read-only' },
      { token: USER, kind: 'user' },
    ],
    users: ['jane@example.com'],
    services: [{ id: 'PSHOP', name: 'Shop', integrations: [{ id: 'PINT', key: KEY }] }],
    incidents: [
      { id: 'QOLD', serviceId: 'PSHOP', title: 'Old', createdAt: ago(60 * DAY_MS) },
      { id: 'QNEW', serviceId: 'PSHOP', title: 'New', status: 'acknowledged', createdAt: ago(1000) },
    ],
  },
})
after(() => simulator.close())
beforeEach(() => simulator.reset())

interface Reply {
  status: number
  body: Record<string, never> & { error?: unknown }
}

async function call(
  method: string,
  path: string,
  { token = USER, from, body }: { token?: string; from?: string; body?: unknown } = {},
): Promise<Reply> {
  const response = await fetch(simulator.url + path, {
    method,
    headers: { authorization: `Token token=${token}`, ...(from && { from }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Reply['body'] }
}
const windowBody = (startMs: number, endMs: number): unknown => ({
  maintenance_window: {
    type: 'maintenance_window',
    start_time: new Date(startMs).toISOString(),
    end_time: new Date(endMs).toISOString(),
    services: [{ id: 'PSHOP', type: 'service_reference' }],
  },
})

test('only the exact header lets in', async () => {
  assert.equal((await call('GET', '/abilities')).status, 200)
  assert.equal((await call('GET', '/abilities', { token: 'unknown_token_123456' })).status, 401)
  for (const authorization of ['', USER, `Token ${USER}`, `token token=${USER}`]) {
    assert.equal((await fetch(`${simulator.url}/abilities`, { headers: { authorization } })).status, 401)
  }
})

test('/users/me is 400 for an account token, with an error that is a text', async () => {
  const { status, body } = await call('GET', '/users/me', { token: ACCOUNT })
  assert.deepEqual([status, typeof body.error], [400, 'string'])
  assert.equal((await call('GET', '/users/me')).status, 200)
})

test('an account token writes only in the name of a user, a read-only one not at all', async () => {
  const write = { body: { note: { content: 'n' } } }
  const path = '/incidents/QNEW/notes'
  assert.equal((await call('POST', path, { ...write, token: READ_ONLY })).status, 403)
  assert.equal((await call('POST', path, { ...write, token: ACCOUNT })).status, 400)
  assert.equal((await call('POST', path, { ...write, token: ACCOUNT, from: 'x@example.com' })).status, 400)
  assert.equal((await call('POST', path, { ...write, token: ACCOUNT, from: 'jane@example.com' })).status, 201)
  assert.deepEqual(simulator.rest.notes, [{ incidentId: 'QNEW', content: 'n', author: 'jane@example.com' }])
})

test('incidents of more than a month ago are listed only with date_range=all', async () => {
  const ids = async (query: string): Promise<string[]> => {
    const { body } = await call('GET', `/incidents?service_ids[]=PSHOP${query}`)
    return (body as unknown as { incidents: { id: string }[] }).incidents.map(({ id }) => id)
  }
  assert.deepEqual(await ids(''), ['QNEW'])
  assert.deepEqual(await ids('&date_range=all'), ['QOLD', 'QNEW'])
  assert.deepEqual(await ids('&date_range=all&limit=1'), ['QOLD'])
  assert.equal((await call('GET', '/incidents?offset=9990&limit=100')).status, 400)
})

test('the keys of integrations show only if they are requested', async () => {
  const { body } = await call('GET', '/services/PSHOP')
  assert.doesNotMatch(JSON.stringify(body), new RegExp(KEY))
  assert.match(
    JSON.stringify((await call('GET', '/services/PSHOP?include[]=integrations')).body),
    new RegExp(KEY),
  )
  assert.match(JSON.stringify((await call('GET', '/services/PSHOP/integrations/PINT')).body), new RegExp(KEY))
})

test('a window mutes its service until it is ended, once', async () => {
  const now = Date.now()
  assert.equal((await call('POST', '/maintenance_windows', { body: windowBody(now, now - 1) })).status, 400)
  const past = await call('POST', '/maintenance_windows', { body: windowBody(now - DAY_MS, now + DAY_MS) })
  assert.equal(past.status, 201)
  assert.ok(Date.parse(simulator.rest.windows[0]?.startTime ?? '') >= now, 'a start in the past becomes now')
  const status = async (): Promise<unknown> =>
    ((await call('GET', '/services/PSHOP')).body as unknown as { service: { status: string } }).service.status
  assert.equal(await status(), 'maintenance')

  const trigger = {
    routing_key: KEY,
    event_action: 'trigger',
    payload: { summary: 's', source: 'c', severity: 'info' },
  }
  const enqueue = async (): Promise<number> =>
    (await fetch(`${simulator.url}/v2/enqueue`, { method: 'POST', body: JSON.stringify(trigger) })).status
  assert.deepEqual([await enqueue(), simulator.alerts.length], [202, 0])
  assert.equal((await call('DELETE', '/maintenance_windows/PW1')).status, 204)
  assert.deepEqual([await enqueue(), simulator.alerts.length], [202, 1])
  assert.equal((await call('DELETE', '/maintenance_windows/PW1')).status, 405)
  assert.equal(await status(), 'critical')
})

test('other processes put another account in its place, and see it without tokens and keys', async () => {
  const seed = {
    tokens: [{ token: USER, kind: 'user' }],
    services: [{ id: 'PA', name: 'A', integrations: [{ id: 'PI', key: KEY }] }],
  }
  const send = (body: string): Promise<Response> =>
    fetch(`${simulator.url}/_simulator/seed`, { method: 'POST', body })
  assert.equal((await send(JSON.stringify(seed))).status, 204)
  const state = await (await fetch(`${simulator.url}/_simulator/state`)).text()
  assert.match(state, /"name":"A"/)
  assert.doesNotMatch(state, new RegExp(`${KEY}|${USER}`))
  assert.equal((await send('{"services":[{}]}')).status, 400)
})
