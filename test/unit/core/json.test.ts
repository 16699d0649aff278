import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cleanJson, cleanObject, MAX_DEPTH, parseJson } from '../../../src/core/json.ts'

test('numbers that a double cannot hold keep their digits as text', () => {
  assert.deepEqual(parseJson('{"a":12345678901234567890,"b":1e999,"c":1.5,"d":9007199254740991}'), {
    a: '12345678901234567890',
    b: '1e999',
    c: 1.5,
    d: 9007199254740991,
  })
})

test('a number that a double would change is kept wherever it stands, and no other is touched', () => {
  for (const [text, expected] of [
    ['9007199254740993', '9007199254740993'],
    ['[-12345678901234567890]', ['-12345678901234567890']],
    ['[0,9007199254740993.0]', [0, '9007199254740993.0']],
    ['{"a":\n1e400}', { a: '1e400' }],
    ['{"a":1.5E300}', { a: '1.5E300' }],
    ['[1e2,0.12500000000000000,"1e400"]', [100, 0.125, '1e400']],
    ['{"sha":"5e0123456789012345678901"}', { sha: '5e0123456789012345678901' }],
  ] as const)
    assert.deepEqual(parseJson(text), expected, text)
})

test('a document too deep for a reviver is still parsed', () => {
  const depth = 100_000
  assert.ok(Array.isArray(parseJson('['.repeat(depth) + ']'.repeat(depth))))
})

test('null and undefined are dropped, also inside lists; false, 0 and the empty string stay', () => {
  assert.deepEqual(
    cleanObject({ a: null, b: undefined, c: false, d: 0, e: '', f: [1, null, 2], g: { h: null } }),
    {
      c: false,
      d: 0,
      e: '',
      f: [1, 2],
      g: {},
    },
  )
})

test('lone surrogates are replaced in values and names', () => {
  assert.deepEqual(cleanObject({ 'a\ud800': 'b\udc00' }), { 'a\ufffd': 'b\ufffd' })
})

test('a member named __proto__ stays a member', () => {
  const clean = cleanObject(JSON.parse('{"__proto__":{"x":1}}') as object)
  assert.equal(JSON.stringify(clean), '{"__proto__":{"x":1}}')
  assert.equal(Object.getPrototypeOf(clean), Object.prototype)
})

test('what lies deeper than the limit travels as text', () => {
  const nest = (depth: number): unknown => (depth === 0 ? 'end' : { in: nest(depth - 1) })
  const text = JSON.stringify(cleanJson(nest(MAX_DEPTH + 2)))
  assert.match(text, /\\"in\\"/)
  assert.match(text, /end/)
  let deepest: unknown = 'end'
  for (let depth = 0; depth < 100_000; depth++) deepest = [deepest]
  assert.match(JSON.stringify(cleanJson(deepest)), /…/)
})

test('what is clean already is not copied, and what is not is cleaned as a copy is', () => {
  const clean = { a: [1, 'b', { c: true }], d: {} }
  assert.equal(cleanObject(clean), clean)
  const member = fc.oneof(
    fc.anything({ withNullPrototype: true }),
    fc.constantFrom('\ud800', Number.NaN, null),
  )
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), member), (value) => {
      const cleaned = cleanObject(value)
      assert.equal(JSON.stringify(cleaned), JSON.stringify(cleanJson(value)))
      assert.equal(cleanObject(cleaned), cleaned)
    }),
  )
})
