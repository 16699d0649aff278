import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMask, maskMembers, maskParsed } from '../../../src/core/mask-event.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { createSecret } from '../../../src/core/secret.ts'

const KEY = '0123456789abcdef0123456789abcdef'
const TOKEN = 'u+abc/defghijklm"nop'
const mask = createMask([createSecret(KEY), createSecret(TOKEN), createSecret('abc')])

test('a secret is masked wherever it stands, names of members included', () => {
  assert.deepEqual(mask({ a: [`key ${KEY}.`, { [KEY]: TOKEN }], n: 5, b: false }), {
    a: ['key …cdef.', { '…cdef': '…"nop' }],
    n: 5,
    b: false,
  })
})

test('a secret is masked in the encodings in which it is often repeated', () => {
  const base64 = Buffer.from(TOKEN).toString('base64')
  for (const text of [encodeURIComponent(TOKEN), JSON.stringify(TOKEN), base64])
    assert.ok(!mask(text).includes('efghij'), text)
  assert.equal(mask(base64).includes(base64.slice(0, 12)), false)
  const hex = Buffer.from(KEY).toString('hex')
  for (const text of [hex, hex.toUpperCase()]) assert.equal(mask(text), '…cdef')
})

test('what holds no secret stays the very same object', () => {
  const value = { a: ['b', { c: 'd' }] }
  assert.equal(mask(value), value)
})

test('a secret of three characters is not masked: that would garble every text', () => {
  assert.equal(mask('abc abc'), 'abc abc')
})

test('the routing key of an event as others wrote it stays, since it says where to post', () => {
  assert.deepEqual(maskMembers({ routing_key: KEY, dedup_key: `a/${KEY}` }, mask), {
    routing_key: KEY,
    dedup_key: 'a/…cdef',
  })
})

test('members that were parsed are masked however the secret is spelled in their text', () => {
  const texts = [
    `{"summary":"key ${KEY}"}`,
    `{"${KEY}":1}`,
    `{"summary":"key \\u0030${KEY.slice(1)}"}`,
    JSON.stringify({ summary: TOKEN }),
    `{"summary":"${Buffer.from(KEY).toString('base64')}"}`,
    `{"routing_key":"${KEY}","summary":"${KEY}"}`,
    `{"routing_key":"${KEY}","summary":"fine"}`,
  ]
  for (const text of texts) {
    const members = JSON.parse(text) as JsonObject
    assert.deepEqual(maskParsed(members, text, mask), maskMembers(members, mask), text)
  }
})

test('members whose text holds no secret stay the very same object', () => {
  const text = '{"summary":"a deployment failed","payload":{"a":[1,true]}}'
  const members = JSON.parse(text) as JsonObject
  assert.equal(maskParsed(members, text, mask), members)
})
