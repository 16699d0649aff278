import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeAlert, judgeChange, MAX_BODY_BYTES } from '../../../tools/simulator/judge.ts'
import { alertProblems, changeProblems, type JsonObject } from '../../../tools/simulator/validate.ts'
import { alertWords, changeWords } from '../../../tools/simulator/words.ts'

const KEY = '0123456789abcdef0123456789abcdef'
const PAYLOAD = { summary: 's', source: 'ci', severity: 'error' }
const ALERT = { routing_key: KEY, event_action: 'trigger', payload: PAYLOAD }
const CHANGE = { routing_key: KEY, payload: { summary: 's' } }

const alert = (fields: JsonObject): JsonObject => ({ ...ALERT, ...fields })
const alertPayload = (fields: JsonObject): JsonObject => alert({ payload: { ...PAYLOAD, ...fields } })
const change = (fields: JsonObject): JsonObject => ({ ...CHANGE, ...fields })
const changePayload = (fields: JsonObject): JsonObject => change({ payload: { summary: 's', ...fields } })
const links = (count: number): JsonObject[] =>
  Array.from({ length: count }, () => ({ href: 'https://example.com' }))

const LONG = "'summary' is too long (maiximum is 1024 characters)"
const LENGTH = "Length of 'routing_key' is incorrect (should be 32 characters)"
const CHARSET = "'routing_key' cannot contain non-alphanumeric characters."
const SEVERITY =
  "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"

const ALERTS: [string, JsonObject, string[]][] = [
  ['a minimal trigger', ALERT, []],
  ['an empty object', {}, ["'routing_key' cannot be blank", "'event_action' is missing or blank"]],
  ['a blank key', alert({ routing_key: ' ' }), ["'routing_key' cannot be blank"]],
  ['a short key', alert({ routing_key: KEY.slice(1) }), [LENGTH]],
  ['a key of odd characters', alert({ routing_key: `${KEY.slice(2)}é_` }), [CHARSET]],
  ['a REST token as key', alert({ routing_key: 'u+abcdefghijklmnopqr' }), [LENGTH, CHARSET]],
  ['a key with a line end', alert({ routing_key: `${KEY}\n` }), [LENGTH, CHARSET]],
  ['a null key', alert({ routing_key: null }), ["'routing_key' cannot be blank"]],
  ['a number as key', alert({ routing_key: 1 }), ["'routing_key' is invalid"]],
  ['a trigger without payload', alert({ payload: undefined }), ["'payload' is missing or blank"]],
  ['a null payload', alert({ payload: null }), ["'payload' is missing or blank"]],
  ['an array as payload', alert({ payload: [] }), ["'payload' is invalid"]],
  [
    'several problems at once',
    alert({ payload: { summary: '', severity: 'P1' } }),
    ["'payload.summary' is missing or blank", "'payload.source' is missing or blank", SEVERITY],
  ],
  ['a capital severity', alertPayload({ severity: 'Error' }), [SEVERITY]],
  ['an empty severity', alertPayload({ severity: '' }), ["'payload.severity' is missing or blank"]],
  ['a summary of 1024 units', alertPayload({ summary: 'é'.repeat(1024) }), []],
  ['a summary of 1025 units', alertPayload({ summary: 'a'.repeat(1025) }), [LONG]],
  ['a summary of 513 surrogate pairs', alertPayload({ summary: '😀'.repeat(513) }), [LONG]],
  ['a blank source', alertPayload({ source: '\t' }), ["'payload.source' is missing or blank"]],
  ['a null component', alertPayload({ component: null }), ["'payload.component' is invalid"]],
  ['a number as group', alertPayload({ group: 7 }), ["'payload.group' is invalid"]],
  ['a list as class', alertPayload({ class: [] }), ["'payload.class' is invalid"]],
  ['an epoch timestamp', alertPayload({ timestamp: 1712345678 }), ["'payload.timestamp' is invalid"]],
  ['text as details', alertPayload({ custom_details: 'x' }), ["'payload.custom_details' is invalid"]],
  ['a list as details', alertPayload({ custom_details: [] }), ["'payload.custom_details' is invalid"]],
  ['null inside the details', alertPayload({ custom_details: { 'load avg': null } }), []],
  ['an unknown property', alert({ x_extra: 1 }), []],
  ['a number as client', alert({ client: 1 }), ["'client' is invalid"]],
  ['a null client_url', alert({ client_url: null }), ["'client_url' is invalid"]],
  ['no links and images', alert({ links: [], images: [] }), []],
  ['more links than a change may have', alert({ links: links(51) }), []],
  ['an object as links', alert({ links: {} }), ["'links' is invalid"]],
  ['a link without href', alert({ links: [{ text: 'x' }] }), ["'links[0].href' is missing or blank"]],
  ['a link with null text', alert({ links: [{ href: 'x', text: null }] }), ["'links[0].text' is invalid"]],
  ['text as link', alert({ links: [...links(1), 'x'] }), ["'links[1]' is invalid"]],
  ['a null link', alert({ links: [null] }), ["'links[0]' is invalid"]],
  ['an image without src', alert({ images: [{ href: 'x' }] }), ["'images[0].src' is missing or blank"]],
  ['an image by http', alert({ images: [{ src: 'http://x/' }] }), ["'images[0].src' is invalid"]],
  [
    'an image with a number as alt',
    alert({ images: [{ src: 'https://x/', alt: 1 }] }),
    ["'images[0].alt' is invalid"],
  ],
  ['a dedup key of 255', alert({ dedup_key: 'k'.repeat(255) }), []],
  [
    'a dedup key of 256',
    alert({ dedup_key: 'k'.repeat(256) }),
    ["'dedup_key' is too long (maiximum is 255 characters)"],
  ],
  ['a bare acknowledge', { routing_key: KEY, event_action: 'acknowledge', dedup_key: 'k' }, []],
  ['a resolve with a whole payload', alert({ event_action: 'resolve', dedup_key: 'k' }), []],
  ['a resolve without dedup key', alert({ event_action: 'resolve' }), ["'dedup_key' is missing or blank"]],
  [
    'an acknowledge of nothing',
    alert({ event_action: 'acknowledge', dedup_key: '' }),
    ["'dedup_key' is missing or blank"],
  ],
  [
    'a resolve with a broken payload',
    alert({ event_action: 'resolve', dedup_key: 'k', payload: 'x' }),
    ["'payload' is invalid"],
  ],
  [
    'a capital action',
    alert({ event_action: 'Trigger' }),
    ["'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"],
  ],
]

for (const [name, event, expected] of ALERTS) {
  test(`alert: ${name} has ${expected.length === 0 ? 'no problem' : `the problem ${expected.join(' ')}`}`, () => {
    assert.deepEqual(alertProblems(event).map(alertWords), expected)
  })
}

const CHANGES: [string, JsonObject, string[]][] = [
  ['a minimal change', CHANGE, []],
  ['an empty object', {}, ["routing_key can't be blank", "payload can't be blank"]],
  ['a blank summary', changePayload({ summary: ' ' }), ["Summary can't be blank"]],
  [
    'a long summary',
    changePayload({ summary: 'a'.repeat(1025) }),
    ['summary should be at most 1024 character(s)'],
  ],
  ['a short key', change({ routing_key: KEY.slice(1) }), ['routing_key should be 32 character(s)']],
  ['a null source', changePayload({ source: null }), ['source is invalid']],
  ['a bad timestamp', changePayload({ timestamp: '2021-10-22 5:01:32' }), ['timestamp is invalid']],
  ['a list as details', changePayload({ custom_details: [1] }), ['custom_details is invalid']],
  ['50 links', change({ links: links(50) }), []],
  ['51 links', change({ links: links(51) }), ['links should have at most 50 item(s)']],
  ['a blank link', change({ links: [{ href: '' }] }), ["links[0].href can't be blank"]],
  ['an image without src', change({ images: [{}] }), ["images[0].src can't be blank"]],
]

for (const [name, event, expected] of CHANGES) {
  test(`change: ${name} has ${expected.length === 0 ? 'no problem' : `the problem ${expected.join(' ')}`}`, () => {
    assert.deepEqual(changeProblems(event).map(changeWords), expected)
  })
}

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const anyKey = (): boolean => true

test('a well-formed key that nobody has is refused in plain text, on both endpoints', () => {
  for (const verdict of [judgeAlert(bytes(ALERT), () => false), judgeChange(bytes(CHANGE), () => false)]) {
    assert.ok(!verdict.accepted)
    assert.equal(verdict.answer.status, 400)
    assert.equal(verdict.answer.body, 'Invalid routing key')
    assert.match(verdict.answer.headers['content-type'] ?? '', /^text\/plain/)
  }
})

test('the key of an orchestration is for alerts only', () => {
  const routing_key = 'R022XIJR9M266DX570EVE6EXP1AFBN6D'
  assert.equal(judgeAlert(bytes(alert({ routing_key })), anyKey).accepted, true)
  assert.equal(judgeChange(bytes(change({ routing_key })), anyKey).accepted, false)
})

const UNREADABLE: [string, Buffer][] = [
  ['an empty body', Buffer.alloc(0)],
  ['a cut body', bytes(ALERT).subarray(0, 40)],
  ['a list', bytes([ALERT])],
  ['a text', bytes('hello')],
  ['null', bytes(null)],
  ['broken UTF-8', Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')])],
]
for (const [name, body] of UNREADABLE) {
  test(`${name} is not an event on either endpoint`, () => {
    for (const verdict of [judgeAlert(body, anyKey), judgeChange(body, anyKey)]) {
      assert.ok(!verdict.accepted)
      assert.equal(verdict.answer.status, 400)
      assert.deepEqual(JSON.parse(String(verdict.answer.body)), {
        status: 'Unrecognized object',
        message: 'Event object format is unrecognized',
        errors: ['JSON parse error'],
      })
    }
  })
}

test('a body may have 512,000 bytes and not one more', () => {
  const sized = (size: number): Buffer => {
    const empty = bytes(alertPayload({ custom_details: { blob: '' } })).length
    return bytes(alertPayload({ custom_details: { blob: 'a'.repeat(size - empty) } }))
  }
  assert.equal(judgeAlert(sized(MAX_BODY_BYTES), anyKey).accepted, true)
  const verdict = judgeAlert(sized(MAX_BODY_BYTES + 1), anyKey)
  assert.ok(!verdict.accepted)
  assert.equal(verdict.answer.status, 413)
})
