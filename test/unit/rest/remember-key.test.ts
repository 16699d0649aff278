import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoutingKey } from '../../../src/core/routing-key.ts'
import { createSecret } from '../../../src/core/secret.ts'
import { rememberKey } from '../../../src/rest/remember-key.ts'

const KEY: RoutingKey = { alias: 'PINT', key: createSecret('0123456789abcdef0123456789abcdef') }

test('a key is looked up once, however many ask for it at once or later', async () => {
  let count = 0
  const lookUp = rememberKey(
    async () => {
      count += 1
      return await Promise.resolve(KEY)
    },
    () => 0,
  )
  assert.deepEqual(await Promise.all([lookUp(), lookUp()]), [KEY, KEY])
  assert.equal(await lookUp(), KEY)
  assert.equal(count, 1)
})

test('a failed look-up is repeated only after two seconds', async () => {
  let count = 0
  let nowMs = 0
  const lookUp = rememberKey(
    async () => {
      count += 1
      if (count === 1) throw new Error('down')
      return await Promise.resolve(KEY)
    },
    () => nowMs,
  )
  await assert.rejects(lookUp(), /down/)
  nowMs = 1999
  await assert.rejects(lookUp(), /down/)
  assert.equal(count, 1)
  nowMs = 2000
  assert.equal(await lookUp(), KEY)
  nowMs = 100_000
  assert.equal(await lookUp(), KEY)
  assert.equal(count, 2)
})
