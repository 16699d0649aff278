import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Claimed, ClaimRequest, OwnedKey } from '../../../src/fleet/engine.ts'
import { startLeases } from '../../../src/fleet/leases.ts'
import { createMirror } from '../../../src/fleet/mirror.ts'
import { DEFAULT_KEY } from '../../support/spool.ts'
import { quickClock, until } from '../../support/worker.ts'

const LEASE_MS = 20_000
const keys = (count: number): OwnedKey[] =>
  Array.from({ length: count }, (_, index) => ({ keyId: index + 1, epoch: 1, key: DEFAULT_KEY }))

test('keys that are owned and idle do not keep a relay from claiming its share of the others', async () => {
  let nowMs = 0
  const mirror = createMirror({ now: () => nowMs, timeoutMs: 10_000, toLocalMs: (ms) => ms })
  mirror.own(keys(50), LEASE_MS)
  nowMs += 5000 // nothing has come for them since
  const claims: ClaimRequest[] = []
  const released: unknown[] = []
  const leases = startLeases({
    engine: {
      renew: () => Promise.resolve({ leaseMs: LEASE_MS, leases: keys(50), relays: 2 }),
      claim: (request): Promise<Claimed> => {
        claims.push(request)
        return Promise.resolve({ leaseMs: LEASE_MS, leases: [], activeKeys: 100 })
      },
      release: (held) => {
        released.push(held)
        return Promise.resolve()
      },
    },
    mirror,
    clock: quickClock(100),
    now: () => nowMs,
    leaseMs: LEASE_MS,
    names: ['default'],
    onClaimed: () => undefined,
  })
  await until(() => claims.at(-1)?.most === 50, 'it claims its share')
  await leases.stop()
  assert.deepEqual(released, [keys(50)], 'it gives everything back when it stops')
  assert.deepEqual(mirror.keyIds(), [])
})
