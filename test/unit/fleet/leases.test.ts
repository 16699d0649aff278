import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Claimed, ClaimRequest, Lease, OwnedKey, Taken } from '../../../src/fleet/engine.ts'
import { startLeases, type Leases } from '../../../src/fleet/leases.ts'
import { createMirror, type Mirror } from '../../../src/fleet/mirror.ts'
import { CLAIM_MS } from '../../../src/fleet/share.ts'
import { DEFAULT_KEY } from '../../support/spool.ts'
import { until } from '../../support/until.ts'
import { quickClock } from '../../support/worker.ts'

const LEASE_MS = 20_000
const keys = (count: number): OwnedKey[] =>
  Array.from({ length: count }, (_, index) => ({ keyId: index + 1, epoch: 1, key: DEFAULT_KEY }))

interface Setup {
  readonly mirror: Mirror
  readonly pass: (ms: number) => void
  /** Starts to claim keys; there are none to claim. */
  readonly start: (relays: number, activeKeys: number) => Leases
  /** Lets the next claim find a key that nobody else has claimed. */
  readonly leave: (...left: readonly Lease[]) => void
  readonly claims: ClaimRequest[]
  readonly released: (readonly Lease[] | undefined)[]
}

/** A relay that has claimed that many keys. */
function setUp(owned: number): Setup {
  let nowMs = 0
  const now = (): number => nowMs
  const mirror = createMirror({ now, timeoutMs: 10_000, toLocalMs: (ms) => ms })
  mirror.own(keys(owned), LEASE_MS)
  const claims: ClaimRequest[] = []
  const unowned: OwnedKey[] = []
  const released: (readonly Lease[] | undefined)[] = []
  return {
    mirror,
    pass: (ms) => (nowMs += ms),
    leave: (...left) => unowned.push(...left.map((lease) => ({ ...lease, key: DEFAULT_KEY }))),
    claims,
    released,
    start: (relays, activeKeys) =>
      startLeases({
        engine: {
          renew: (leaseMs, held) =>
            Promise.resolve({ leaseMs, leases: mirror.leases().slice(0, held.length), relays }),
          claim: (request): Promise<Claimed> => {
            claims.push(request)
            return Promise.resolve({ leaseMs: LEASE_MS, leases: unowned.splice(0, request.most), activeKeys })
          },
          release: (held) => {
            released.push(held)
            return Promise.resolve()
          },
        },
        mirror,
        clock: quickClock(100),
        now,
        leaseMs: LEASE_MS,
        names: ['default'],
        onClaimed: () => undefined,
      }),
  }
}

/** The server's answer that it has nothing of these keys but what is due later, if anything. */
function answer(count: number, dueInMs?: number): Taken {
  const state = {
    isLost: false,
    permits: 0,
    isMore: false,
    permitInMs: 0,
    ...(dueInMs !== undefined && { dueInMs }),
  }
  return { nowMs: 0, events: [], keys: keys(count).map(({ keyId }) => ({ keyId, ...state })) }
}

test('keys that are owned and idle do not keep a relay from claiming its share of the others', async () => {
  const { mirror, pass, start, claims, released } = setUp(50)
  mirror.accept(answer(50), 0)
  pass(5000)
  const leases = start(2, 100)
  await until(() => claims.at(-1)?.most === 50, 'it claims its share')
  await leases.stop()
  assert.deepEqual(released, [keys(50)], 'it gives everything back when it stops')
  assert.deepEqual(mirror.keyIds(), [])
})

test('keys whose events only wait for their retries are given back to a relay that joins', async () => {
  const { mirror, pass, start, claims, released } = setUp(50)
  mirror.accept(answer(50, 60_000), 0)
  pass(15_000) // longer than an idle key is owned
  const leases = start(2, 50)
  await until(() => released.length === 1, 'it gives back what is more than its share')
  pass(CLAIM_MS)
  await until(() => claims.at(-1)?.most === 1, 'it goes on')
  await leases.stop()
  assert.deepEqual(
    released.map((held) => held?.length),
    [25, 25],
    'when it stops everything',
  )
})

test('of a backlog one key is given back to a relay that joins, and the rest if that was wanted', async () => {
  for (const isWanted of [true, false]) {
    const { pass, start, claims, released, leave } = setUp(50)
    const leases = start(2, 50)
    await until(() => released.length === 1, 'it gives one back')
    if (!isWanted) leave(...(released[0] ?? []))
    const before = claims.length
    pass(CLAIM_MS)
    await until(() => claims.length > before + 5, 'it goes on')
    await leases.stop()
    assert.deepEqual(
      released.map((held) => held?.length),
      isWanted ? [1, 24, 25] : [1, 50],
    )
  }
})
