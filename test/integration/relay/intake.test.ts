import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, beforeEach, test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY } from '../../support/program.ts'
import { alertBody, keyFor, post, startRelay } from '../../support/relay.ts'
import { temporaryDirectory } from '../../support/spool.ts'

const simulator = await startSimulator()
const env = { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url }
const relay = await startRelay(env)
after(async () => {
  await relay.stop()
  await simulator.close()
})
beforeEach(() => simulator.reset())

const ALERTS = `${relay.url}/v2/enqueue`
const OTHER = keyFor('another service')
const bodies = (): Record<string, unknown>[] =>
  simulator.requests.map(({ body }) => JSON.parse(String(body)) as Record<string, unknown>)
const lastBody = (): Record<string, unknown> => bodies().at(-1) ?? {}
const summaryOf = (body: Record<string, unknown>): unknown =>
  (body['payload'] as Record<string, unknown> | undefined)?.['summary']

/** Posts bytes as they are. */
async function postBytes(url: string, body: Buffer, contentType: string): Promise<Response> {
  return await fetch(url, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body: new Uint8Array(body),
  })
}

const SUMMARY = 'Größe überschritten'
const JSON_TEXT = JSON.stringify(
  alertBody({ payload: { summary: SUMMARY, source: 'db-1', severity: 'error' } }),
)
const BODIES: [string, Buffer, string][] = [
  ['ISO-8859-1, declared', Buffer.from(JSON_TEXT, 'latin1'), 'application/json; charset=iso-8859-1'],
  [
    'Windows-1252, declared in quotes',
    Buffer.from(JSON_TEXT, 'latin1'),
    'application/json; charset="Windows-1252"',
  ],
  ['UTF-8, declared', Buffer.from(JSON_TEXT), 'application/json; charset=UTF-8'],
  ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${JSON_TEXT}`), 'application/json'],
  [
    'UTF-16 with a byte order mark',
    Buffer.from(`\uFEFF${JSON_TEXT}`, 'utf16le'),
    'application/json; charset=utf-16',
  ],
  ['UTF-16 big-endian', Buffer.from(JSON_TEXT, 'utf16le').swap16(), 'application/json; charset=utf-16be'],
  ['a media type with a JSON suffix', Buffer.from(JSON_TEXT), 'application/vnd.acme+json'],
]
for (const [what, body, contentType] of BODIES) {
  test(`JSON in ${what}, arrives as it was meant`, async () => {
    assert.equal((await postBytes(ALERTS, body, contentType)).status, 202)
    assert.equal(summaryOf(lastBody()), SUMMARY)
  })
}

test('a form arrives in the charset that it declares, escaped or not', async () => {
  const type = 'application/x-www-form-urlencoded; charset=iso-8859-1'
  for (const form of ['summary=Gr%F6%DFe+%fcberschritten', 'summary=Gr\u00f6\u00dfe+\u00fcberschritten']) {
    const answer = await postBytes(`${relay.url}/failure`, Buffer.from(form, 'latin1'), type)
    assert.equal(answer.status, 202)
    assert.equal(summaryOf(lastBody()), SUMMARY)
  }
})

test('a charset that nobody knows is 415, with a reason', async () => {
  const answer = await postBytes(ALERTS, Buffer.from(JSON_TEXT), 'application/json; charset=utf-32')
  assert.equal(answer.status, 415)
  assert.match(await answer.text(), /the body has an unknown charset; send UTF-8/)
})

test('a compressed body is 415, and the answer says what would be taken', async () => {
  const answer = await post(ALERTS, alertBody(), { 'content-encoding': 'gzip' })
  assert.deepEqual([answer.status, answer.headers.get('accept-encoding')], [415, 'identity'])
  const plain = await post(ALERTS, alertBody(), { 'content-encoding': 'Identity' })
  assert.equal(plain.status, 202)
})

test('an empty body may have any content type, chunked or not', async () => {
  for (const type of ['text/plain', 'text/plain; charset=utf-8', 'application/octet-stream']) {
    const answer = await fetch(`${relay.url}/failure`, { method: 'POST', headers: { 'content-type': type } })
    assert.equal(answer.status, 202, type)
  }
  const full = await fetch(`${relay.url}/failure`, { method: 'POST', body: 'text' })
  assert.equal(full.status, 415)
  const { hostname, port } = new URL(relay.url)
  for (const [chunks, status] of [
    ['0\r\n\r\n', '202'],
    ['4\r\ntext\r\n0\r\n\r\n', '415'],
  ] as const) {
    const socket = connect(Number(port), hostname).setEncoding('utf8')
    socket.write(
      `POST /failure HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: text/plain\r\n` +
        `transfer-encoding: chunked\r\n\r\n${chunks}`,
    )
    let answer = ''
    for await (const text of socket) answer += String(text)
    assert.equal(answer.split(' ')[1], status)
  }
})

const KEYS: [string, string | undefined, string | undefined, string][] = [
  ['in the header alone', undefined, OTHER, OTHER],
  ['in the header, beside relay in the body', 'relay', OTHER, OTHER],
  ['in the body, beside another in the header', OTHER, keyFor('a third'), OTHER],
  ['the relay’s own if the header says relay', undefined, 'relay', KEY],
  ['the relay’s own if there is none', undefined, undefined, KEY],
]
for (const [where, inBody, header, expected] of KEYS) {
  test(`the routing key is ${where}`, async () => {
    const body = alertBody(inBody === undefined ? {} : { routing_key: inBody })
    const headers = header === undefined ? {} : { 'x-routing-key': header }
    assert.equal((await post(ALERTS, body, headers)).status, 202)
    assert.equal(lastBody()['routing_key'], expected)
    await post(`${relay.url}/failure`, {}, headers)
    if (inBody === undefined) assert.equal(lastBody()['routing_key'], expected)
  })
}

test('a key in the body of an outcome, or under its name in Events API v1, says which service is meant', async () => {
  for (const path of ['/failure', '/success']) {
    simulator.reset()
    const form = new URLSearchParams({ routing_key: OTHER }).toString()
    await postBytes(relay.url + path, Buffer.from(form), 'application/x-www-form-urlencoded')
    await post(relay.url + path, { routing_key: OTHER }, { 'x-routing-key': keyFor('a third') })
    assert.deepEqual(new Set(bodies().map((sent) => sent['routing_key'])), new Set([OTHER]))
  }
  await post(ALERTS, alertBody({ service_key: OTHER }))
  assert.equal(lastBody()['routing_key'], OTHER)
  assert.equal(lastBody()['service_key'], undefined)
  const answer = await post(`${relay.url}/failure`, { routing_key: 5 })
  assert.equal(answer.status, 400)
  assert.match(await answer.text(), /Length of 'routing_key' is incorrect/)
})

test('JSON that curl -d calls a form is read as JSON, and a blank body as none', async () => {
  const json = Buffer.from('{"environment":"production"}')
  const type = 'application/x-www-form-urlencoded'
  assert.equal((await postBytes(`${relay.url}/success`, json, type)).status, 202)
  assert.equal(lastBody()['dedup_key'], 'deploy/acme/shop/production')
  for (const text of ['', ' \n', '\uFEFF'])
    assert.equal((await postBytes(`${relay.url}/failure`, Buffer.from(text), 'application/json')).status, 202)
  assert.equal(lastBody()['dedup_key'], 'deploy/acme/shop/master')
})

test('no event is lost for a slash too many in its path', async () => {
  for (const path of ['//v2/enqueue', '/v2/enqueue/', '/v2//change/enqueue', '/failure/'])
    assert.equal((await post(relay.url + path, alertBody())).status, 202, path)
  assert.equal((await fetch(`${relay.url}/readyz/`)).status, 200)
})

test('a malformed key in the header is refused like one in the body', async () => {
  for (const path of ['/v2/enqueue', '/v2/change/enqueue', '/failure']) {
    const body = path === '/failure' ? {} : alertBody()
    const answer = await post(relay.url + path, body, { 'x-routing-key': 'short' })
    assert.equal(answer.status, 400, path)
    assert.match(await answer.text(), /Length of 'routing_key' is incorrect/)
  }
  assert.equal(simulator.requests.length, 0)
})

test("the relay's own key is masked in events of callers, whose dedup keys still meet", async () => {
  const body = alertBody({ dedup_key: `disk/${KEY}`, client: `of ${KEY}` })
  await post(ALERTS, body)
  await post(ALERTS, { event_action: 'resolve', dedup_key: `disk/${KEY}` })
  assert.deepEqual(
    bodies().map((sent) => sent['dedup_key']),
    ['disk/…cdef', 'disk/…cdef'],
  )
  assert.equal(JSON.stringify(bodies()).split(KEY).length, 3) // the routing keys
})

test("a caller's own key in a dedup key is sent as it stands, and GET /events does not show it", async (t) => {
  const kept = await startRelay({ ...env, PAGERDUTY_SPOOL: temporaryDirectory(t) })
  t.after(() => kept.stop())
  const dedupKey = `disk/${OTHER}`
  await post(`${kept.url}/v2/enqueue`, alertBody({ dedup_key: dedupKey, routing_key: OTHER }), {
    prefer: 'wait=30',
  })
  assert.equal(lastBody()['dedup_key'], dedupKey)
  const list = await (await fetch(`${kept.url}/events`)).text()
  assert.match(list, /"dedup_key":"disk\/…/)
  assert.ok(!list.includes(OTHER))
})

test('hostile JSON is taken as PagerDuty can take it', async () => {
  const nested = `${'['.repeat(5000)}1${']'.repeat(5000)}`
  const texts = [
    `{"event_action":"trigger","payload":{"summary":"a\\u0000b\\ud800","source":"s","severity":"error"}}`,
    `{"event_action":"page","event_action":"trigger","payload":{"summary":"s","source":"s","severity":"error"}}`,
    `{"event_action":"trigger","payload":{"summary":"s","source":"s","severity":"error","class":${nested},"custom_details":{"a":${nested}}}}`,
    `{"event_action":"trigger","links":${nested},"images":${nested},"payload":{"summary":"s","source":"s","severity":"error"}}`,
  ]
  for (const text of texts) {
    const answer = await post(ALERTS, text)
    assert.equal(answer.status, 202, `${text.slice(0, 60)}: ${await answer.text()}`)
  }
  assert.equal(summaryOf(bodies()[0] ?? {}), 'a\uFFFDb\uFFFD')
})
