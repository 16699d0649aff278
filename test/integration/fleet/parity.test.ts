import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricsOf, shareFleetRelays } from '../../support/fleet-relays.ts'
import { alertBody, post, type RunningRelay } from '../../support/relay.ts'
import { until } from '../../support/until.ts'

const { skip, fleet } = await shareFleetRelays()

/** Dedup keys with what a database may treat in a special way. */
const KEYS = [
  'Straße Ä',
  'ÅNGSTRÖM',
  'plain',
  'PLAIN_1',
  '100%',
  'a_b',
  'axb',
  "o'clock",
  '\\d',
  '日本',
  'İ',
  'n\0l',
  '\uD800x',
]
const REFUSED = ['Straße Ä', 'PLAIN_1', '100%']
const DETAILS = { outcome: 'failure', repository: 'Acme/Größe', environment: 'Änd_1%', build_id: '7' }

/** What events are searched by. */
const TEXTS = [
  '',
  'ä',
  'STRASSE',
  'straSSe',
  'straße',
  'ångström',
  'plain',
  'PLAIN',
  '%',
  '_',
  'a_b',
  "'",
  '\\',
  '日',
  'i',
  'İ',
  'l',
  '\uD800',
  '\uFFFD',
  'k\u212A',
]

function queries(): string[] {
  const events = [
    '/events',
    ...['pending', 'delivered', 'dead', 'discarded', '', 'other'].map((status) => `/events?status=${status}`),
    ...['0', '-1', 'x', ''].map((after) => `/events?after=${after}`),
    ...TEXTS.map((text) => `/events?order=newest&dedup_key=${encode(text)}`),
    ...['0', '1', '2', '200', '201', '-1', 'x', '1.5'].map((limit) => `/events?order=newest&limit=${limit}`),
    ...['0', '-1', '9007199254740991', '9007199254740992', '1e400', 'x'].map(
      (before) => `/events?order=newest&before=${before}`,
    ),
    ...['alert', 'change', 'ALERT'].map((kind) => `/events?order=newest&kind=${kind}`),
    ...['none', '429', '4xx', '5xx', '400'].map((answer) => `/events?order=newest&answer=${answer}`),
    ...['default', 'DEFAULT', '…cdef', '%', '', '\0'].map((key) => `/events?order=newest&key=${encode(key)}`),
    ...['dead', 'delivered', 'discarded'].map((status) => `/events?order=newest&status=${status}&limit=2`),
  ]
  const deployments = [
    '/deployments',
    ...['', 'ä', 'GRÖSSE', 'GRÖßE', '%', '_', 'acme', '\0', '\uD800', '7'].map(
      (text) => `/deployments?text=${encode(text)}`,
    ),
    ...['Änd_1%', 'änd_1%', '%', '', '\0'].map((name) => `/deployments?environment=${encode(name)}`),
    ...['Acme/Größe', 'acme/größe', '\0'].map((name) => `/deployments?repository=${encode(name)}`),
    ...['0', '-5', '9007199254740991', 'x'].map((before) => `/deployments?before=${before}`),
    ...['true', '1', ''].map((current) => `/deployments?current=${current}`),
    ...['success', 'failure', 'started', 'x'].map((outcome) => `/deployments?outcome=${outcome}`),
    ...['1h', '2999-01-01T00:00:00Z', 'x'].map((since) => `/deployments?since=${encode(since)}`),
    `/deployments?identity=${encode('deploy/Acme/Größe/Änd_1%')}`,
    `/deployments?identity=${encode('\0')}`,
  ]
  return [...events, ...deployments, '/events/0', '/events/-1', '/events/x', '/deployments/x']
}

/** A query as a browser or a careless client sends it: half of a surrogate pair as its three bytes. */
function encode(text: string): string {
  return encodeURIComponent(text.replaceAll('\uD800', '\uFFFE')).replaceAll('%EF%BF%BE', '%ED%A0%80')
}

/** What is different for each relay: ids, times and places. */
const LOCAL = new Set([
  'id',
  'accepted_at',
  'settled_at',
  'due_at',
  'origin',
  'owner',
  'where',
  'next',
  'oldest_at',
  'event_ids',
  'at',
  'started_at',
  'ended_at',
  'duration_seconds',
  'last_attempts',
  'instance',
  'age_seconds',
  'summary', // a spool does not keep it of delivered events
])

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const known = Object.entries(value).filter(([name]) => !LOCAL.has(name))
  return Object.fromEntries(known.map(([name, part]) => [name, plain(part)]))
}

async function answerOf(relay: RunningRelay, path: string, init?: RequestInit): Promise<unknown> {
  const answer = await fetch(relay.url + path, init)
  const text = await answer.text()
  return { status: answer.status, body: plain(JSON.parse(text)) }
}

/** The dedup keys of all events, by pages of two. */
async function pagesOf(relay: RunningRelay): Promise<string[][]> {
  const pages: string[][] = []
  for (let before = ''; ;) {
    const answer = await fetch(`${relay.url}/events?order=newest&limit=2${before}`)
    const { events } = (await answer.json()) as { events: { id: number; dedup_key: string }[] }
    if (events.length === 0) return pages
    pages.push(events.map(({ dedup_key: dedupKey }) => dedupKey))
    before = `&before=${events.at(-1)?.id}`
  }
}

test('a relay of a fleet answers as one with only a spool does', { skip }, async () => {
  if (fleet === undefined) return
  const { PAGERDUTY_FLEET: _, ...alone } = fleet.environment('alone')
  const relays = [await fleet.start('alone', { ...alone, PAGERDUTY_FLEET: '' }), await fleet.start('member')]
  const [spool, member] = relays
  if (spool === undefined || member === undefined) return
  await until(async () => (await metricsOf(member))['fleet_engine_up'] === 1, 'it has joined')
  for (const key of REFUSED)
    fleet.simulator.behave({ containing: JSON.stringify(key), behaviour: { kind: 'answer', status: 400 } })
  const eachOf = async (path: string, init?: RequestInit): Promise<unknown[]> =>
    await Promise.all(relays.map((relay) => answerOf(relay, path, init)))
  const differences: string[] = []
  const compare = async (path: string, init?: RequestInit): Promise<void> => {
    const [one, other] = await eachOf(path, init)
    try {
      assert.deepEqual(other, one)
    } catch {
      differences.push(
        [
          init?.method ?? 'GET',
          path,
          String(init?.body ?? ''),
          JSON.stringify(one),
          JSON.stringify(other),
        ].join('\n  '),
      )
    }
  }
  for (const relay of relays) {
    for (const dedupKey of KEYS)
      await (await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: dedupKey }))).text()
    const payload = { summary: 'f', source: 's', severity: 'error', custom_details: DETAILS }
    await (
      await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: 'deploy/Acme/Größe/Änd_1%', payload }))
    ).text()
    await until(async () => {
      const { counts } = (await (await fetch(`${relay.url}/events`)).json()) as {
        counts: Record<string, number>
      }
      return counts['pending'] === 0
    }, 'everything is settled')
  }
  for (const path of queries()) await compare(path)
  const json = { 'content-type': 'application/json' }
  const act = async (path: string, body: unknown): Promise<void> =>
    await compare(path, { method: 'POST', headers: json, body: JSON.stringify(body) })
  for (const body of [
    { dedup_key: '' },
    { dedup_key: '_2' },
    { dedup_key: '%%' },
    { dedup_key: '\0' },
    { key: '' },
    { key: 'x' },
    { id: 0 },
    { id: 1e15 },
    { id: -1 },
    { id: 1.5 },
    { id: 'x' },
    { dry_run: true },
    { dedup_key: 'ä', dry_run: true },
    { answer: '4xx', dry_run: true },
    { kind: 'change' },
    [],
  ])
    await act('/events/retry', body)
  for (const body of [
    { dedup_key: '_2' },
    { dedup_key: '\uD800' },
    { id: 1e15 },
    { id: 'x' },
    { dedup_key: 'STRASSE Ä' },
    { dedup_key: 'straße ä' },
    { dedup_key: 'plain' },
    {},
  ])
    await act('/events/discard', body)
  for (const path of ['/events', '/deployments', '/events?order=newest']) await compare(path)
  const [pages, others] = await Promise.all(relays.map(pagesOf))
  assert.deepEqual(others, pages)
  assert.equal(differences.join('\n'), '')
})
