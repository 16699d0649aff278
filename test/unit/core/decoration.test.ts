import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import type { Event } from '../../../src/core/event.ts'
import { findProblems } from '../../../src/core/event-schema.ts'
import { cleanObject, type JsonObject } from '../../../src/core/json.ts'
import { readEvent, type ReadEvent } from '../../../src/core/normalize-event.ts'

const KINDS = ['alert', 'change'] as const
const readSchema = (name: string): object =>
  JSON.parse(
    readFileSync(new URL(`../../fixtures/pagerduty-schema/${name}.schema.json`, import.meta.url), 'utf8'),
  ) as object
const ajv = new Ajv({ strict: false, validateFormats: false })
const validate = {
  alert: ajv.compile(readSchema('enqueue')),
  change: ajv.compile(readSchema('change-enqueue')),
}

/** Reads an event that is good but for what is given. */
function read(kind: Event['kind'], top: object, payload: object = {}): ReadEvent {
  const document = {
    ...(kind === 'alert' && { event_action: 'trigger' }),
    ...top,
    payload: { summary: 's', source: 'host', ...(kind === 'alert' && { severity: 'error' }), ...payload },
  }
  const reading = readEvent(kind, cleanObject(document), () => ({}))
  assert.ok(!('problems' in reading), JSON.stringify(reading))
  const wire = { routing_key: 'k'.repeat(32), ...reading.event.body }
  assert.deepEqual(findProblems(reading.event), [])
  assert.ok(validate[kind](wire), JSON.stringify(validate[kind].errors))
  return reading
}

interface Case {
  readonly top?: JsonObject
  readonly payload?: JsonObject
  /** What is left of them. */
  readonly left?: JsonObject
  readonly note: RegExp
}

const SRC = 'https://a.example/i.png'
const CASES: Readonly<Record<string, Case>> = {
  'an image without href, as Alertmanager sends it': {
    top: { images: [{ src: SRC, href: '', alt: 'Graph' }] },
    left: { images: [{ src: SRC, alt: 'Graph' }] },
    note: /^images\[\]\.href is blank, so it is left out$/,
  },
  'an image whose alt is a number and whose href is a path': {
    top: { images: [{ src: SRC, href: '/graph', alt: 7 }] },
    left: { images: [{ src: SRC, alt: '7' }] },
    note: /^images\[\]\.href must be an http\(s\) URL, so it is left out/,
  },
  'an image over plain http': {
    top: { images: [{ src: 'http://a.example/i.png' }, 5, { alt: 'none' }] },
    note: /^3 of 3 images dropped: src must be an https URL$/,
  },
  'a link text that is a number, a link that is its address, and one of another scheme': {
    top: {
      links: [{ href: ' https://a.example ', text: 5 }, 'https://b.example', { href: 'ftp://c.example' }],
    },
    left: { links: [{ href: 'https://a.example', text: '5' }, { href: 'https://b.example' }] },
    note: /1 of 3 links dropped: href must be an http\(s\) URL/,
  },
  'a link text that is an object': {
    top: { links: { href: 'https://a.example', text: {} } },
    left: { links: [{ href: 'https://a.example' }] },
    note: /^links\[\]\.text must be a string, not an object, so it is left out$/,
  },
  'links that are a number': { top: { links: 5 }, note: /^1 of 1 links dropped/ },
  'a client_url that is a path': { top: { client_url: '/alerts' }, note: /^client_url must be an http/ },
  'a client_url that is a word': { top: { client_url: 'grafana' }, note: /^client_url must be an http/ },
  'a client_url that is a macro': { top: { client_url: '{$ZABBIX.URL}' }, note: /^client_url must be/ },
  'a client_url that is blank': { top: { client_url: '' }, note: /^client_url is blank, so it is left out$/ },
  'a client_url that is a number': { top: { client_url: 5 }, note: /^client_url must be/ },
  'a client that is a number': { top: { client: 5 }, left: { client: '5' }, note: /sent as text$/ },
  'a client that is an object': { top: { client: {} }, note: /^client must be a string, not an object/ },
  'a class that is a number': { payload: { class: 5 }, left: { class: '5' }, note: /sent as text$/ },
  'a component that is a boolean': {
    payload: { component: false },
    left: { component: 'false' },
    note: /^payload\.component must be a string, not a boolean, so it is sent as text$/,
  },
  'a group that is a list': { payload: { group: ['a', 'b'] }, left: { group: 'a, b' }, note: /an array/ },
  'a group that is a list of lists': { payload: { group: [['a']] }, note: /left out$/ },
  'a timestamp without a zone': {
    payload: { timestamp: '2026-01-31T12:00:00' },
    left: { timestamp: '2026-01-31T12:00:00.000Z' },
    note: /^payload\.timestamp has no zone, so it is taken for UTC$/,
  },
  'a timestamp that is none': { payload: { timestamp: {} }, note: /^payload\.timestamp must be like/ },
  'details that are a list': {
    payload: { custom_details: [1] },
    left: { custom_details: { details: [1] } },
    note: /^payload\.custom_details is not an object/,
  },
}

for (const kind of KINDS) {
  for (const [what, { top = {}, payload = {}, left = {}, note }] of Object.entries(CASES)) {
    test(`${kind}: ${what} does not keep the event from going out`, () => {
      const { event, warnings } = read(kind, top, payload)
      const shown: object = { ...event.body, ...event.body.payload }
      for (const name of [...Object.keys(top), ...Object.keys(payload)])
        assert.deepEqual(shown[name as keyof typeof shown], left[name], name)
      assert.match(warnings.join('\n'), note)
    })
  }
}

const url = fc.oneof(
  fc.webUrl(),
  fc.constantFrom('', ' ', '/path', 'word', '{{ .URL }}', 'http://', 'https://[', '\0'),
)
const junk = fc.oneof(
  { depthSize: 'small' },
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  url,
  fc.double(),
  fc.constantFrom('\ud800', '\0', 'a'.repeat(5000), [[[[{}]]]]),
)
const listOf = (address: string, ...others: string[]): fc.Arbitrary<unknown> => {
  const members = Object.fromEntries([address, ...others].map((name) => [name, fc.oneof(url, junk)]))
  return fc.oneof(junk, fc.array(fc.oneof(junk, fc.record(members, { requiredKeys: [] })), { maxLength: 5 }))
}
const top = fc.record(
  {
    dedup_key: junk,
    client: junk,
    client_url: fc.oneof(url, junk),
    links: listOf('href', 'text'),
    images: listOf('src', 'href', 'alt'),
    other: junk,
  },
  { requiredKeys: [] },
)
const payload = fc.record(
  { component: junk, group: junk, class: junk, timestamp: junk, custom_details: junk, other: junk },
  { requiredKeys: [] },
)

for (const kind of KINDS) {
  test(`${kind}: whatever its decoration is, the event is valid and goes out`, () => {
    fc.assert(
      fc.property(top, payload, (anyTop, anyPayload) => void read(kind, anyTop, anyPayload)),
      { numRuns: 2000 },
    )
  })
}

test('a change event needs no source and no severity, whatever their values', () => {
  fc.assert(
    fc.property(junk, junk, (source, severity) => {
      const { event } = read('change', {}, { source, severity })
      assert.equal(event.body.payload?.summary, 's')
    }),
  )
})

test('many faults of one kind are one warning', () => {
  const images = Array.from({ length: 500 }, () => ({ src: SRC, href: '' }))
  const { event, warnings } = read('alert', { images })
  assert.equal(event.body.images?.length, 500)
  assert.equal(warnings.length, 1)
})
