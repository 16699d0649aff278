import type { SpoolKey } from '../spool/spool.ts'
import type {
  EngineDelivery,
  FleetSettlement,
  KeyRequest,
  KeyTaken,
  Lease,
  OwnedKey,
  Settled,
  Taken,
} from './engine.ts'
import type { Lane } from './lane.ts'
import type { News } from './news.ts'
import { toResults, toTaken, type TakenRow } from './rows.ts'
import type { Seal } from './seal.ts'

export interface DeliveringParts {
  readonly lane: Lane
  readonly seal: Seal
  readonly relay: string
  readonly version: string
  readonly news: News
}

interface OwnedRow {
  readonly key_id: number | null
  readonly epoch: number
  readonly key_name: string
  readonly key_secret: Buffer | null
  readonly relays?: number
  readonly active_keys?: number
}

/** The part of an engine by which a relay owns keys, takes their events and writes results. */
export function createDelivering({ lane, seal, relay, version, news }: DeliveringParts): EngineDelivery {
  const toOwned = createToOwned(seal)
  return {
    renew: async (leaseMs, held) => {
      const values = [relay, version, leaseMs, ...leaseColumns(held)]
      const rows = await lane.run<OwnedRow>('SELECT * FROM pagerduty_alert.renew($1, $2, $3, $4, $5)', values)
      return { leaseMs, leases: rows.flatMap(toOwned), relays: rows[0]?.relays ?? 1 }
    },
    claim: async ({ most, leaseMs, names }) => {
      const values = [relay, most, leaseMs, names]
      const rows = await lane.run<OwnedRow>('SELECT * FROM pagerduty_alert.claim($1, $2, $3, $4)', values)
      return { leaseMs, leases: rows.flatMap(toOwned), activeKeys: rows[0]?.active_keys ?? 0 }
    },
    release: async (held, forOthers = []) => {
      const columns = held === undefined ? [null, null] : leaseColumns(held)
      await lane.run('SELECT pagerduty_alert.release($1, $2, $3)', [relay, ...columns])
      news.tellOthers({ dueKeyIds: forOthers, changedIds: [] })
    },
    ...createTaking(lane, seal, relay),
    settle: async (settlements) => {
      const values = [relay, ...toResults(settlements)]
      const text = `SELECT * FROM pagerduty_alert.settle(${placeholders(values)})`
      const rows = await lane.run<SettledRow>(text, values)
      const due = rows.flatMap(({ due_key_id: keyId }) => keyId ?? [])
      news.tell({ dueKeyIds: due, changedIds: settlements.map(({ id }) => id) })
      return becameOf(settlements, rows)
    },
    clampDue: async ({ keyId, epoch }, waitMs) => {
      await lane.run('SELECT pagerduty_alert.clamp_due($1, $2, $3, $4)', [relay, keyId, epoch, waitMs])
    },
    tidy: async () => {
      let isMore = true
      while (isMore) {
        const [row] = await lane.run<{ tidy: boolean }>('SELECT pagerduty_alert.tidy()')
        isMore = row?.tidy ?? false
      }
      await lane.run('SELECT pagerduty_alert.forget_keys()')
    },
  }
}

/** `$1, $2, …` */
export function placeholders(values: readonly unknown[]): string {
  return values.map((_, index) => `$${index + 1}`).join(', ')
}

/** Keys are opened once: an id never gets another key. */
function createToOwned(seal: Seal): (row: OwnedRow) => OwnedKey[] {
  const known = new Map<number, SpoolKey>()
  return ({ key_id: keyId, epoch, key_name: name, key_secret: secret }) => {
    if (keyId === null) return []
    const key = known.get(keyId) ?? seal.openKey(name, secret)
    if (known.size >= MAX_KNOWN_KEYS) known.clear()
    known.set(keyId, key)
    return [{ keyId, epoch, key }]
  }
}

const MAX_KNOWN_KEYS = 20_000

interface KeyRow {
  readonly key_id: number
  readonly is_lost: boolean
  readonly permits: number
  readonly is_more: boolean
  readonly permit_in_ms: number
  readonly due_in_ms: number | null
  readonly now_ms: number
}

function createTaking(lane: Lane, seal: Seal, relay: string): Pick<EngineDelivery, 'take' | 'permit'> {
  return {
    take: async ({ keys, room, busy, rate }): Promise<Taken> => {
      const values = [relay, ...keyColumns(keys), wantsOf(keys), room, busy, rate.permits, rate.windowMs]
      const text = `SELECT * FROM pagerduty_alert.take(${placeholders(values)})`
      const rows = await lane.run<(KeyRow & { id: null }) | (TakenRow & { now_ms: number })>(text, values)
      return {
        nowMs: rows[0]?.now_ms ?? 0,
        events: rows.flatMap((row) => (row.id === null ? [] : [toTaken(row, seal)])),
        keys: rows.flatMap((row) => (row.id === null ? [toKeyTaken(row)] : [])),
      }
    },
    permit: async (keys, rate) => {
      const values = [relay, ...keyColumns(keys), rate.permits, rate.windowMs]
      const rows = await lane.run<KeyRow>(
        `SELECT * FROM pagerduty_alert.permit(${placeholders(values)})`,
        values,
      )
      return rows.map((row) => ({
        keyId: row.key_id,
        isLost: row.is_lost,
        permits: row.permits,
        permitInMs: row.permit_in_ms,
      }))
    },
  }
}

/** Four numbers for each key, in the order that `take` expects. */
function wantsOf(keys: readonly KeyRequest[]): number[] {
  return keys.flatMap(({ most, wants }) =>
    (['alert', 'change'] as const).flatMap((kind) => [
      wants?.[kind].fresh ?? most,
      wants?.[kind].tried ?? most,
    ]),
  )
}

function keyColumns(keys: readonly KeyRequest[]): number[][] {
  return [...leaseColumns(keys), keys.map(({ most }) => most)]
}

function leaseColumns(leases: readonly Lease[]): number[][] {
  return [leases.map(({ keyId }) => keyId), leases.map(({ epoch }) => epoch)]
}

function toKeyTaken(row: KeyRow): KeyTaken {
  return {
    keyId: row.key_id,
    isLost: row.is_lost,
    permits: row.permits,
    isMore: row.is_more,
    permitInMs: row.permit_in_ms,
    ...(row.due_in_ms !== null && { dueInMs: row.due_in_ms }),
  }
}

interface SettledRow {
  readonly id: number | null
  readonly became: Settled
  readonly due_key_id: number | null
}

function becameOf(settlements: readonly FleetSettlement[], rows: readonly SettledRow[]): Settled[] {
  const became = new Map(rows.map((row) => [row.id, row.became]))
  return settlements.map(({ id }) => became.get(id) ?? 'gone')
}
