import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillIn } from '../../../scripts/fill-in.ts'

test('generated parts are replaced and the rest of the page stays, however often it is filled in', () => {
  const page = 'At most <!-- generated: limit -->1<!-- . --> items:\n\n<!-- generated: items --><!-- . -->\n'
  const filled =
    'At most <!-- generated: limit -->2<!-- . --> items:\n\n<!-- generated: items -->\n\na\nb\n\n<!-- . -->\n'
  assert.equal(fillIn(page, { limit: '2', items: 'a\nb\n' }), filled)
  assert.equal(fillIn(filled, { limit: '2', items: 'a\nb\n' }), filled)
})

test('a part that nothing generates, and a value that no part shows, are mistakes', () => {
  assert.throws(() => fillIn('<!-- generated: x --><!-- . -->', {}), /nothing generates the part "x"/)
  assert.throws(() => fillIn('<!-- generated: x -->', { x: '1' }), /the part "x" has no end/)
  assert.throws(() => fillIn('no part', { y: '1' }), /the page has no part for y/)
})
