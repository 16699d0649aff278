import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maskKey, maskKeys, toMaskedJson } from '../../../tools/simulator/mask.ts'

const KEY = '0123456789abcdef0123456789abcdef'

test('of a key the last four characters are shown, of a short one nothing', () => {
  assert.equal(maskKey(KEY), '…cdef')
  assert.equal(maskKey('abcd'), '…')
})

const TEXTS: [string, string][] = [
  [`{"routing_key": "${KEY}"}`, '{"routing_key": "…cdef"}'],
  ['{"routing_key":"u+abcdefghijklmnopqr"', '{"routing_key":"…opqr"'],
  ['{"routing_key":"u+abcdefghijklmn', '{"routing_key":"…klmn"'],
  ['{"routing_key":1234567890}', '{"routing_key":"…7890"}'],
  [`/v2/enqueue?key=${KEY}&x`, '/v2/enqueue?key=…cdef&x'],
  [`key_${KEY}_`, 'key_…cdef_'],
  ['a commit 0123456789abcdef0123456789abcdef01234567', 'a commit 0123456789abcdef0123456789abcdef01234567'],
]
for (const [text, masked] of TEXTS) {
  test(`${text} is shown as ${masked}`, () => assert.equal(maskKeys(text), masked))
}

test('no key survives in JSON, whatever field it is in', () => {
  const json = toMaskedJson({
    routingKey: KEY,
    headers: { authorization: 'Token token=abcdefghijklmnopqrst' },
    body: `{"routing_key":"short+key_of_a_kind"}`,
    deep: [{ routing_key: 'short+key_of_a_kind', note: `sent with ${KEY}` }],
  })
  for (const secret of [KEY, 'abcdefghijklmnopqrst', 'short+key'])
    assert.equal(json.includes(secret), false, secret)
})
