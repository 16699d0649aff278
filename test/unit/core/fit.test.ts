import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LIMITS, type Event, type Payload } from '../../../src/core/event.ts'
import { findProblems } from '../../../src/core/event-schema.ts'
import { fitEvent } from '../../../src/core/fit.ts'
import type { JsonObject } from '../../../src/core/json.ts'

const KEY = '0123456789abcdef0123456789abcdef'
const wireBytes = (event: Event): number =>
  Buffer.byteLength(JSON.stringify({ routing_key: KEY, ...event.body }))

const trigger = (payload: Partial<Payload>, more: Partial<Event['body']> = {}): Event => ({
  kind: 'alert',
  body: {
    event_action: 'trigger',
    dedup_key: 'k',
    payload: { summary: 's', source: 'ci', severity: 'error', ...payload },
    ...more,
  },
})
const details = ({ event }: { event: Event }): JsonObject => event.body.payload?.custom_details ?? {}

test('an event within the limits is not touched', () => {
  const event = trigger(
    { summary: 'é'.repeat(1024), custom_details: { a: 1 } },
    { links: [{ href: 'https://a.example' }] },
  )
  assert.deepEqual(fitEvent(event), { event, cuts: [] })
})

test('a summary over the limit is cut and its full text kept in the details', () => {
  const summary = 'a'.repeat(1025)
  const fitted = fitEvent(trigger({ summary }))
  assert.equal(fitted.event.body.payload?.summary, `${'a'.repeat(1023)}…`)
  assert.deepEqual(details(fitted), { summary, truncated: ['summary'] })
})

test('a summary of astral characters is cut by UTF-16 length, never inside a character', () => {
  const { summary } = fitEvent(trigger({ summary: '😀'.repeat(1024) })).event.body.payload as Payload
  assert.ok(summary.length <= 1024 && summary.length >= 1022 && summary.isWellFormed())
})

test("the user's own details named summary and truncated are kept beside ours", () => {
  const fitted = fitEvent(
    trigger({ summary: 'a'.repeat(2000), custom_details: { summary: 'mine', truncated: 'mine too' } }),
  )
  assert.deepEqual(details(fitted), {
    summary: 'mine',
    truncated: 'mine too',
    full_summary: 'a'.repeat(2000),
    truncated_fields: ['summary'],
  })
})

test('a change event keeps its first 50 links, an alert all of them', () => {
  const links = Array.from({ length: 51 }, (_, index) => ({ href: `https://a.example/${index}` }))
  const change = fitEvent({ kind: 'change', body: { payload: { summary: 's' }, links } })
  assert.deepEqual(change.event.body.links, links.slice(0, 50))
  assert.deepEqual(details(change).truncated, ['links'])
  assert.equal(fitEvent(trigger({}, { links })).event.body.links?.length, 51)
})

test('the output is cut first and keeps its end', () => {
  const fitted = fitEvent(
    trigger({ custom_details: { output: `start${'x'.repeat(300_000)}end`, other: 'y'.repeat(300_000) } }),
  )
  const { output, other, truncated } = details(fitted) as {
    output: string
    other: string
    truncated: string[]
  }
  assert.deepEqual(truncated, ['output'])
  assert.equal(other.length, 300_000)
  assert.ok(output.startsWith('…') && output.endsWith('end') && output.length > 200_000)
  assert.ok(wireBytes(fitted.event) <= LIMITS.bodyBytes && wireBytes(fitted.event) > LIMITS.bodyBytes - 200)
})

test('then the largest details are cut, whatever their type, and small ones stay', () => {
  const fitted = fitEvent(
    trigger({
      custom_details: {
        small: 'kept',
        list: Array.from({ length: 100_000 }, (_, n) => n),
        text: 'z'.repeat(200_000),
      },
    }),
  )
  assert.deepEqual(details(fitted).truncated, ['list'])
  assert.equal(details(fitted).small, 'kept')
  assert.match(details(fitted).list as string, /^\[0,1,2,3,/)
})

test('links and images go last, from their ends', () => {
  const long = (name: string, index: number): string =>
    `https://a.example/${name}/${index}/${'p'.repeat(20_000)}`
  const links = Array.from({ length: 20 }, (_, index) => ({ href: long('link', index) }))
  const images = Array.from({ length: 20 }, (_, index) => ({ src: long('image', index) }))
  const fitted = fitEvent(trigger({ custom_details: { note: 'kept' } }, { links, images }))
  assert.deepEqual(details(fitted).truncated, ['links'])
  assert.equal(details(fitted).note, 'kept')
  assert.equal(fitted.event.body.images?.length, 20)
  assert.deepEqual(fitted.event.body.links, links.slice(0, fitted.event.body.links?.length))
})

test('a body is measured in UTF-8 bytes on the wire', () => {
  const fitted = fitEvent(trigger({ custom_details: { text: '€'.repeat(200_000) } }))
  assert.ok(wireBytes(fitted.event) <= LIMITS.bodyBytes && wireBytes(fitted.event) > LIMITS.bodyBytes - 200)
})

test('a hundred thousand small details fit, and the list of what was cut stays short', () => {
  const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`name_${index}`, index]))
  const fitted = fitEvent(trigger({ custom_details: wide }))
  assert.ok(wireBytes(fitted.event) <= LIMITS.bodyBytes)
  assert.ok(wireBytes(fitted.event) > LIMITS.bodyBytes - 10_000)
  assert.ok((details(fitted).truncated as string[]).length <= 51)
})

test('fields of unlimited length, also unknown ones, cannot push an event over the limit', () => {
  const huge = 'h'.repeat(600_000)
  const event = trigger(
    { source: huge, component: huge, group: huge, class: huge },
    { client: huge, client_url: `https://${huge}` },
  )
  const fitted = fitEvent({ ...event, body: { ...event.body, x_extra: { deep: huge } } as Event['body'] })
  assert.ok(wireBytes(fitted.event) <= LIMITS.bodyBytes)
  assert.deepEqual(findProblems(fitted.event), [])
})

const hostileText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\ud800', '\udfff😀', '\0', '"\\', '\u2028', '', '__proto__', 'constructor'),
)
const hostileJson = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    hostileText,
    fc.double(),
    fc.constantFrom(1e308, Number.MAX_SAFE_INTEGER, -0, Number.NaN, Number.POSITIVE_INFINITY),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.oneof(hostileText, fc.constant('__proto__')), tie('value'), { maxKeys: 5 }),
  ),
})).value
const hostileEvent = fc.record({
  summary: fc
    .tuple(hostileText, fc.nat({ max: 1100 }))
    .map(([text, count]) => `s${text}`.padEnd(count, '😀é')),
  details: fc.dictionary(
    fc.oneof(hostileText, fc.constantFrom('__proto__', 'output', 'summary', 'truncated')),
    hostileJson,
  ),
  links: fc.array(fc.record({ href: fc.constant('https://a.example/'), text: hostileText }), {
    maxLength: 60,
  }),
  kind: fc.constantFrom('alert' as const, 'change' as const),
})
type HostileEvent = typeof hostileEvent extends fc.Arbitrary<infer T> ? T : never

function toEvent({ summary, details: own, links, kind }: HostileEvent, more: JsonObject = {}): Event {
  const {
    event_action: action,
    dedup_key: dedupKey,
    ...body
  } = trigger({
    summary,
    custom_details: { ...own, ...more } as JsonObject,
  }).body
  const address = kind === 'alert' && action && dedupKey ? { event_action: action, dedup_key: dedupKey } : {}
  return { kind, body: { ...address, ...body, links } }
}

function assertSendable(event: Event): void {
  assert.deepEqual(findProblems(event), [])
  assert.ok(wireBytes(event) <= LIMITS.bodyBytes)
  const allStrings = JSON.stringify(event, (name, value: unknown) => {
    assert.ok(name.isWellFormed() && (typeof value !== 'string' || value.isWellFormed()))
    return value
  })
  assert.ok(!allStrings.includes('null'), 'null is never sent')
}

test('whatever an event holds: it becomes valid, within every limit, and no detail is lost', () => {
  fc.assert(
    fc.property(hostileEvent, (hostile) => {
      const { event, cuts } = fitEvent(toEvent(hostile))
      assertSendable(event)
      const isForced =
        hostile.summary.length > LIMITS.summaryChars || hostile.links.length > LIMITS.changeLinks
      if (!isForced) assert.deepEqual(cuts, [], 'cut without need')
      const kept = event.body.payload?.custom_details ?? {}
      for (const [name, value] of Object.entries(hostile.details)) {
        if (value !== null)
          assert.ok(
            Object.hasOwn(kept, name.toWellFormed().replaceAll('\0', '\uFFFD')),
            `lost ${JSON.stringify(name)}`,
          )
      }
    }),
    { numRuns: 5_000 },
  )
})

test('an event too large becomes valid too, and is cut no further than needed', () => {
  const filler = fc.record({
    bytes: fc.constantFrom(500_000, 511_000, 512_000, 600_000, 1_000_000),
    text: fc.constantFrom('a', '€', '"', '\n', '\u0001', '😀'),
  })
  fc.assert(
    fc.property(hostileEvent, filler, (hostile, { bytes, text }) => {
      const unit = Buffer.byteLength(JSON.stringify(text)) - 2
      const { event, cuts } = fitEvent(toEvent(hostile, { blob: text.repeat(bytes / unit) }))
      assertSendable(event)
      if (cuts.some(({ name }) => name === 'blob'))
        assert.ok(wireBytes(event) > LIMITS.bodyBytes - 200, 'cut further than needed')
    }),
    { numRuns: 100 },
  )
})
