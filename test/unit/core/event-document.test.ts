import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventBody } from '../../../src/core/event.ts'
import { Failure } from '../../../src/core/failure.ts'
import { createSecret } from '../../../src/core/secret.ts'
import { readUserEvent } from '../../../src/core/event-document.ts'

const DEFAULTS: EventBody = {
  dedup_key: 'default-key',
  payload: {
    summary: 'default',
    source: 'default',
    severity: 'error',
    timestamp: '2026-01-01T00:00:00.000Z',
  },
}

function read(document: unknown): ReturnType<typeof readUserEvent> {
  return readUserEvent(document, {
    lookUp: (name) => (name === 'NAME' ? 'value' : undefined),
    defaults: (kind) =>
      kind === 'alert' ? DEFAULTS : { payload: { summary: 'default', source: 'default' } },
  })
}

/** The body of an alert with the given payload. */
function alertOf(payload: object, top: object = {}): EventBody {
  return read({ event_action: 'trigger', payload, ...top }).event.body
}

test('event_action makes an alert, whatever its case; without it the event is a change', () => {
  assert.deepEqual(
    [' Trigger ', 'ACKNOWLEDGE', 'resolve'].map(
      (action) => read({ event_action: action }).event.body.event_action,
    ),
    ['trigger', 'acknowledge', 'resolve'],
  )
  assert.equal(read({ payload: { summary: 's' } }).event.kind, 'change')
})

test('an event that looks like an alert and is sent as a change causes a warning', () => {
  for (const document of [{ dedup_key: 'k' }, { payload: { severity: 'info' } }]) {
    assert.match(read(document).warnings.join(), /no event_action/)
  }
  assert.deepEqual(read({ payload: { summary: 's' } }).warnings, [])
})

test('an acknowledge or resolve carries its key and nothing else', () => {
  const { body } = read({ event_action: 'resolve', dedup_key: 'k', payload: { summary: 's' } }).event
  assert.deepEqual(body, { event_action: 'resolve', dedup_key: 'k' })
})

test('its own values win, what is missing or blank is filled', () => {
  const { payload, dedup_key: key } = alertOf(
    { summary: 'own', source: ' ', severity: ' Warning ' },
    { dedup_key: '' },
  )
  assert.deepEqual(payload, { ...DEFAULTS.payload, summary: 'own', severity: 'warning' })
  assert.equal(key, 'default-key')
})

test('details stay as they are, but null goes', () => {
  const details = { f: false, zero: 0, gone: null, text: '${NAME} $${NAME}', list: [1, null] }
  assert.deepEqual(alertOf({ custom_details: details }).payload?.custom_details, {
    f: false,
    zero: 0,
    text: 'value ${NAME}',
    list: [1],
  })
})

test('details that are not an object become one', () => {
  assert.deepEqual(alertOf({ custom_details: '{"a":1}' }).payload?.custom_details, { a: 1 })
  for (const details of ['text', ['a']]) {
    const { event, warnings } = read({ event_action: 'trigger', payload: { custom_details: details } })
    assert.deepEqual(event.body.payload?.custom_details, { details })
    assert.match(warnings.join(), /custom_details is not an object/)
  }
})

test('links and images that PagerDuty would refuse the event for are dropped, and that is said', () => {
  const { event, warnings } = read({
    event_action: 'trigger',
    links: [{ href: 'https://a.example' }, 'https://b.example', { href: '' }, { href: 'ftp://c.example' }],
    images: [{ src: 'http://a.example/i.png' }, { src: 'https://a.example/i.png' }],
  })
  assert.deepEqual(event.body.links, [{ href: 'https://a.example' }, { href: 'https://b.example' }])
  assert.deepEqual(event.body.images, [{ src: 'https://a.example/i.png' }])
  assert.match(warnings.join('\n'), /^2 of 4 links dropped: .*\n1 of 2 images dropped: /)
})

test('a timestamp is normalised', () => {
  for (const timestamp of ['2026-01-31T13:00:00+0100', 1769860800, '1769860800']) {
    assert.equal(alertOf({ timestamp }).payload?.timestamp, '2026-01-31T12:00:00.000Z')
  }
})

test('the routing key is split off, and one that is not text is left to the check of keys', () => {
  const { event, routingKey } = read({ routing_key: 'k', payload: { summary: 's' } })
  assert.deepEqual([routingKey, 'routing_key' in event.body], ['k', false])
  assert.equal(read({ routing_key: 12, payload: {} }).routingKey, '12')
  assert.equal(read({ routing_key: '', payload: {} }).routingKey, undefined)
})

test('a timestamp without a zone is UTC, one that cannot be read is the default, and both cause a warning', () => {
  const zoneless = read({ event_action: 'trigger', payload: { timestamp: '2026-01-31T12:00:00.5' } })
  assert.equal(zoneless.event.body.payload?.timestamp, '2026-01-31T12:00:00.500Z')
  assert.deepEqual(zoneless.warnings, ['payload.timestamp has no zone, so it is taken for UTC'])
  const unreadable = read({ event_action: 'trigger', payload: { timestamp: 'yesterday' } })
  assert.equal(unreadable.event.body.payload?.timestamp, DEFAULTS.payload?.timestamp)
  assert.match(unreadable.warnings.join(), /^payload.timestamp must be like .*, so it is left out$/)
})

test('numbers and booleans that stand for text are sent as text', () => {
  const { event, warnings } = read({
    event_action: 'trigger',
    dedup_key: 42,
    client: true,
    payload: { summary: 5, source: 10.5, class: 404, group: ['eu', 1] },
  })
  const { dedup_key: key, client, payload } = event.body
  assert.deepEqual([key, client], ['42', 'true'])
  assert.deepEqual(
    { ...payload },
    { ...DEFAULTS.payload, summary: '5', source: '10.5', class: '404', group: 'eu, 1' },
  )
  assert.ok(warnings.includes('payload.class must be a string, not a number, so it is sent as text'))
})

test('a payload that was encoded twice is read', () => {
  const { event, warnings } = read({ event_action: 'trigger', payload: '{"summary":"twice"}' })
  assert.equal(event.body.payload?.summary, 'twice')
  assert.match(warnings.join(), /^payload must be an object, not a string/)
})

test('a dedup key of another type is the same text in a trigger and in its resolve', () => {
  for (const dedupKey of [5, true, ['db', 1]]) {
    const keys = ['trigger', 'resolve'].map(
      (action) => read({ event_action: action, dedup_key: dedupKey }).event.body.dedup_key,
    )
    assert.equal(typeof keys[0], 'string')
    assert.equal(keys[1], keys[0])
  }
})

test('the key’s name in Events API v1 says which service is meant, and stays out of the event', () => {
  const key = 'd41d8cd98f00b204e9800998ecf8427e'
  const { event, routingKey, warnings } = read({
    event_action: 'trigger',
    service_key: key,
    client: `of ${key}`,
  })
  assert.equal(routingKey, key)
  assert.ok(!JSON.stringify(event).includes(key))
  assert.match(warnings.join(), /service_key is the name of the key in Events API v1/)
  const both = read({ event_action: 'trigger', routing_key: 'a', service_key: key })
  assert.equal(both.routingKey, 'a')
  assert.ok(!JSON.stringify(both.event).includes(key))
})

test('of an acknowledge or resolve only the key is read', () => {
  const junk = { payload: 'text', links: 5, images: {}, client: [], client_url: 'x', routing_key: 'k' }
  for (const action of ['acknowledge', 'resolve']) {
    for (const payload of ['text', [], { timestamp: '2026-01-31T12:00:00', severity: 'P1', summary: {} }]) {
      const { event, warnings } = read({ ...junk, event_action: action, dedup_key: 'k', payload })
      assert.deepEqual(event.body, { event_action: action, dedup_key: 'k' })
      assert.deepEqual(warnings, [])
    }
  }
})

test("members of version 1 beside version 2's are others' own, and are named only if the event lacks something", () => {
  assert.equal(alertOf({ summary: 's' }, { incident_key: 'k' }).dedup_key, 'default-key')
  assert.throws(
    () => read({ event_action: 'trigger', incident_key: 'k', payload: { summary: [] } }),
    /summary: must be a string.*\n.*incident_key is dedup_key/,
  )
})

test("a reference to a secret of the program is refused, but for the event's own key", () => {
  const context = {
    lookUp: () => 'secret-value-0123456789',
    isSecret: (name: string) => name === 'PAGERDUTY_TOKEN',
    secrets: [createSecret('secret-value-0123456789')],
    defaults: () => DEFAULTS,
  }
  assert.throws(
    () => readUserEvent({ payload: { summary: '${PAGERDUTY_TOKEN} ${OTHER}' } }, context),
    /^Failure: the event refers to secrets of this program: \$\{PAGERDUTY_TOKEN\} \(only its routing_key may hold one\)$/,
  )
  const { event, routingKey } = readUserEvent(
    { routing_key: '${PAGERDUTY_TOKEN}', payload: { summary: 'of ${OTHER}' } },
    context,
  )
  assert.equal(routingKey, 'secret-value-0123456789')
  assert.equal(event.body.payload?.summary, 'of …6789', 'it is masked, whatever variable it came from')
})

test('a cut summary is reported with its lengths', () => {
  const { warnings } = read({ payload: { summary: 'a'.repeat(2334) } })
  assert.deepEqual(warnings, ["cut to PagerDuty's limits: summary: 1,310 of 2,334 characters cut"])
})

const REFUSED: [unknown, RegExp][] = [
  [[], /must be one JSON object/],
  ['text', /must be one JSON object/],
  [
    { service_key: 'k', event_type: 'trigger' },
    /Events API v1.*service_key is routing_key, event_type is event_action/,
  ],
  [{ incident_key: 'k' }, /incident_key is dedup_key/],
  [{ event_action: 'page' }, /event_action: must be one of trigger, acknowledge, resolve/],
  [{ event_action: null }, /event_action: must be one of/],
  [{ event_action: 'trigger', payload: 'x' }, /payload: must be an object, not a string/],
  [{ event_action: 'trigger', payload: [] }, /payload: must be an object, not an array/],
  [{ payload: 5 }, /payload: must be an object, not a number/],
  [
    { event_action: 'trigger', payload: { severity: 'P1' } },
    /payload.severity: must be one of critical, error/,
  ],
  [
    { event_action: 'trigger', payload: { severity: 5 } },
    /payload.severity: must be one of critical, error, warning, info, not a number/,
  ],
  [
    { event_action: 'trigger', payload: { summary: { text: 's' } } },
    /payload.summary: must be a string, not an object/,
  ],
  [{ event_action: 'trigger', payload: { source: ['a'] } }, /payload.source: must be a string, not an array/],
  [{ event_action: 'resolve', dedup_key: {} }, /dedup_key: must be a string, not an object/],
  [{ payload: { summary: ['s'] } }, /payload.summary: must be a string, not an array/],
  [{ payload: { summary: '${NONE} ${NEITHER} ${NONE}' } }, /not set: \$\{NONE\}, \$\{NEITHER\} \(/],
]
for (const [document, message] of REFUSED) {
  test(`${JSON.stringify(document)} is refused`, () => {
    assert.throws(
      () => read(document),
      (error) => error instanceof Failure && error.kind === 'usage' && message.test(error.message),
    )
  })
}
