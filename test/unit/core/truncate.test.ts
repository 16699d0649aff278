import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cutChars, cutJsonBytes } from '../../../src/core/truncate.ts'

const wellFormed = fc.string({ unit: 'binary', maxLength: 200 }).map((text) => text.toWellFormed())
const encodedBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text))

test('a text within the limit stays as it is', () => {
  assert.equal(cutChars('abc', 3), 'abc')
  assert.equal(cutJsonBytes('abc', 5), 'abc')
})

test('a cut never splits a character in two', () => {
  assert.equal(cutChars('a😀😀', 4), 'a😀…')
  assert.equal(cutChars('a😀😀', 3), 'a…')
})

test('cut to characters: within the limit, well-formed, and no character lost needlessly', () => {
  fc.assert(
    fc.property(wellFormed, fc.integer({ min: 1, max: 200 }), (text, maxChars) => {
      const cut = cutChars(text, maxChars)
      assert.ok(cut.length <= maxChars)
      assert.ok(cut.isWellFormed())
      if (text.length <= maxChars) return assert.equal(cut, text)
      assert.ok(cut.endsWith('…') && text.startsWith(cut.slice(0, -1)))
      assert.ok(cut.length >= maxChars - 1)
    }),
    { numRuns: 5000 },
  )
})

for (const keep of ['head', 'tail'] as const) {
  test(`cut to bytes keeps the ${keep}: within the limit, well-formed, and at most one character short of it`, () => {
    fc.assert(
      fc.property(wellFormed, fc.integer({ min: 5, max: 600 }), (text, maxBytes) => {
        const cut = cutJsonBytes(text, maxBytes, keep)
        assert.ok(encodedBytes(cut) <= maxBytes, `${encodedBytes(cut)} > ${maxBytes}`)
        assert.ok(cut.isWellFormed())
        if (encodedBytes(text) <= maxBytes) return assert.equal(cut, text)
        const kept = keep === 'head' ? cut.slice(0, -1) : cut.slice(1)
        assert.ok(keep === 'head' ? text.startsWith(kept) : text.endsWith(kept))
        assert.ok(encodedBytes(cut) > maxBytes - 6)
      }),
      { numRuns: 5000 },
    )
  })
}
