import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../../src/core/failure.ts'
import { parseRoutingKeys } from '../../../../src/core/routing-key.ts'
import { createSecret } from '../../../../src/core/secret.ts'
import { spoolKeysOf, toSpoolKey } from '../../../../src/spool/key-names.ts'
import { createResolver } from '../../../../src/spool/worker/destinations.ts'

const KEY = '0123456789abcdef0123456789abcdef'
const OTHER = 'f'.repeat(32)
const EVENTS = { eventsUrl: 'http://pagerduty.test' }
const LOOKED_UP = { alias: 'PINT', key: createSecret(KEY), isLookedUp: true } as const
const DEFAULT = { kind: 'configured', name: 'default' } as const

function keyIn(resolution: Awaited<ReturnType<ReturnType<typeof createResolver>>>): string | undefined {
  return 'missing' in resolution ? resolution.missing : resolution.routingKey?.reveal()
}

test('a configured key is stored by name, a looked-up one as the default, any other as it is', () => {
  const keys = parseRoutingKeys(`web=${KEY},${OTHER}`)
  assert.deepEqual(toSpoolKey(createSecret(KEY), keys), { kind: 'configured', name: 'web' })
  assert.deepEqual(toSpoolKey(createSecret(OTHER), keys), { kind: 'configured', name: 'key-2' })
  assert.deepEqual(toSpoolKey(createSecret(KEY), [LOOKED_UP]), DEFAULT)
  assert.deepEqual(toSpoolKey(undefined, keys), DEFAULT)
  assert.equal(toSpoolKey(createSecret('a'.repeat(32)), keys).kind, 'own')
})

test('events for a looked-up key go out with a configured one, and vice versa', async () => {
  const configured = createResolver({ ...EVENTS, keys: parseRoutingKeys(OTHER) })
  assert.equal(keyIn(await configured(DEFAULT)), OTHER)
  const lookingUp = createResolver({ ...EVENTS, keys: [] }, () => Promise.resolve(LOOKED_UP))
  assert.equal(keyIn(await lookingUp(toSpoolKey(createSecret(OTHER), parseRoutingKeys(OTHER)))), KEY)
})

test('a key of another name is not looked up', async () => {
  const resolve = createResolver({ ...EVENTS, keys: [] }, () => Promise.resolve(LOOKED_UP))
  assert.equal(
    keyIn(await resolve({ kind: 'configured', name: 'web' })),
    'no routing key named web is configured here',
  )
})

function failing(why: Error): ReturnType<typeof createResolver> {
  return createResolver({ ...EVENTS, keys: [] }, () => Promise.reject(why))
}

test('the reason for a missing key is one line, and a bug stays a bug', async () => {
  assert.equal(keyIn(await failing(new Failure('config', 'none\nadd one'))(DEFAULT)), 'none; add one')
  await assert.rejects(async () => await failing(new TypeError('bug'))(DEFAULT), /bug/)
})

test('a key may be stored under each of its names', () => {
  const keys = parseRoutingKeys(`web=${KEY},${OTHER}`)
  const namesOf = (key: string): string[] =>
    spoolKeysOf(createSecret(key), keys).map((kept) => (kept.kind === 'own' ? 'own' : kept.name))
  assert.deepEqual(namesOf(KEY), ['web', 'own', 'default'])
  assert.deepEqual(namesOf(OTHER), ['key-2', 'own'])
  assert.deepEqual(namesOf('a'.repeat(32)), ['own'])
})
