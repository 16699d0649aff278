import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dedupKeyFor, limitDedupKey } from '../../../src/core/identity.ts'

test('the key names repository, environment and step, and nothing of the build', () => {
  assert.equal(
    dedupKeyFor({ repository: 'acme/shop', environment: 'production' }),
    'deploy/acme/shop/production',
  )
  assert.equal(
    dedupKeyFor({ repository: 'acme/shop', environment: 'eu', step: 'api' }),
    'deploy/acme/shop/eu/api',
  )
  assert.equal(dedupKeyFor({ repository: 'acme/shop' }), 'deploy/acme/shop')
})

test('a key of 255 characters is kept, one of 256 becomes its head and the SHA-256 of the whole', () => {
  assert.equal(limitDedupKey('k'.repeat(255)), 'k'.repeat(255))
  const limited = limitDedupKey('k'.repeat(256))
  assert.equal(limited.length, 255)
  assert.match(limited, /^k{189}…-[0-9a-f]{64}$/)
})

test('long keys that differ only at their ends stay different, and the same key stays the same', () => {
  const long = 'deploy/acme/shop/'.padEnd(400, 'x')
  assert.notEqual(limitDedupKey(`${long}1`), limitDedupKey(`${long}2`))
  assert.equal(limitDedupKey(`${long}1`), limitDedupKey(`${long}1`))
})

test('a key is never cut inside a character', () => {
  const limited = limitDedupKey('😀'.repeat(200))
  assert.ok(limited.length <= 255)
  assert.ok(limited.isWellFormed())
})
