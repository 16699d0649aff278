import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWrongTokens } from '../../../src/relay/wrong-tokens.ts'

test('after five wrong tokens within a minute an address waits, and no other does', () => {
  let nowMs = 0
  const wrong = createWrongTokens(() => nowMs)
  for (let tries = 0; tries < 5; tries++) {
    assert.equal(wrong.isBlocked('10.0.0.1'), false)
    wrong.note('10.0.0.1')
    nowMs += 1000
  }
  assert.deepEqual([wrong.isBlocked('10.0.0.1'), wrong.isBlocked('10.0.0.2')], [true, false])
  nowMs = 60_001
  assert.equal(wrong.isBlocked('10.0.0.1'), false)
})

test('a thousand addresses are remembered', () => {
  const wrong = createWrongTokens(() => 0)
  for (let tries = 0; tries < 5; tries++) wrong.note('first')
  for (let address = 0; address < 999; address++) wrong.note(String(address))
  assert.equal(wrong.isBlocked('first'), true)
  wrong.note('one more')
  assert.equal(wrong.isBlocked('first'), false)
})
