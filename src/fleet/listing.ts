import type { ListedStatus } from '../spool/listing.ts'
import type { SpoolAttempt, SpoolKey } from '../spool/spool.ts'
import type { EngineListing, FleetEvent, FleetKey, FleetSearch, FleetShown } from './engine-listing.ts'
import type { Lane } from './lane.ts'
import { placeOf, storable } from './rows.ts'
import type { Seal } from './seal.ts'

interface ListedRow {
  readonly id: number
  readonly status: ListedStatus
  readonly key_id: number
  readonly key_name: string | null
  readonly key_secret: Buffer | null
  readonly owner: string | null
  readonly kind: FleetEvent['kind']
  readonly action: string | null
  readonly alert: string | null
  readonly origin: string
  readonly accepted_at_ms: number
  readonly attempts: number
  readonly http_status: number | null
  readonly reason: string | null
  readonly due_at_ms: number | null
  readonly settled_at_ms: number | null
  readonly note: string | null
  readonly summary: Buffer | null
}

interface ShownRow extends ListedRow {
  readonly attempt_log: readonly SpoolAttempt[] | null
  readonly body: Buffer | null
}

export interface ListingParts {
  readonly lane: Lane
  readonly seal: Seal
  readonly origin: string
}

type Listing = Omit<
  EngineListing,
  | 'retry'
  | 'previewRetry'
  | 'discard'
  | 'discardOne'
  | 'deployments'
  | 'deploymentsEndedSince'
  | 'noteDeployment'
>

/** What people see of the fleet's events. */
export function createListing({ lane, seal, origin }: ListingParts): Listing {
  const one = async <T>(text: string, values?: readonly unknown[]): Promise<T> => {
    const [row] = await lane.run<{ value: T }>(text, values)
    return row?.value as T
  }
  const keys = createKeys(lane, seal)
  return {
    counts: async () => {
      const text = 'SELECT * FROM pagerduty_alert.counts()'
      const [row] = await lane.run<{ pending: number; delivered: number; dead: number }>(text)
      return { pending: row?.pending ?? 0, delivered: row?.delivered ?? 0, dead: row?.dead ?? 0 }
    },
    oldestPendingAgeMs: async () =>
      (await one<number | null>('SELECT pagerduty_alert.oldest_pending_age_ms() AS value')) ?? undefined,
    pending: (scope) =>
      one('SELECT pagerduty_alert.pending_of($1) AS value', [scope === 'own' ? origin : null]),
    countPending: (most) => one('SELECT pagerduty_alert.count_pending($1) AS value', [most]),
    areAlertsPending: async (alerts) => {
      const names = alerts.map(({ key }) => seal.closeKey(key).name)
      const dedupKeys = alerts.map(({ dedupKey }) => storable(dedupKey))
      return await one('SELECT pagerduty_alert.are_alerts_pending($1, $2) AS value', [names, dedupKeys])
    },
    idsOf: async (originIds) => {
      const text = 'SELECT pagerduty_alert.ids_of($1, $2) AS value'
      const ids = await one<number[]>(text, [origin, originIds])
      return ids.map((id) => (id === 0 ? undefined : id))
    },
    progress: async (ids) => {
      const rows = await lane.run<ProgressRow>('SELECT * FROM pagerduty_alert.progress($1)', [ids])
      const known = new Map(rows.map((row) => [row.id, row]))
      return ids.map((id) => progressOf(id, known.get(id)))
    },
    find: async (search) => {
      const keyIds = await keys.idsOf(search)
      const pages = await Promise.all(
        search.statuses.map((status) => lane.run<ListedRow>(FIND, findValues(status, keyIds, search))),
      )
      const isRising = search.afterId !== undefined
      return pages
        .flat()
        .map((row) => toListed(row, seal))
        .toSorted((a, b) => (isRising ? a.id - b.id : b.id - a.id))
        .slice(0, search.limit)
    },
    show: async (id) => {
      const [row] = await lane.run<ShownRow>('SELECT * FROM pagerduty_alert.show($1)', [id])
      return row === undefined ? undefined : toShown(row, seal)
    },
    keys: keys.all,
  }
}

const FIND = 'SELECT * FROM pagerduty_alert.find($1, $2, $3, $4, $5, $6, $7, $8, $9)'

/** The arguments of `find` for one status. */
export function findValues(
  status: ListedStatus,
  keyIds: readonly number[] | undefined,
  { beforeId, afterId, kind, dedupKey, answer, origin, limit }: Omit<FleetSearch, 'statuses'>,
): unknown[] {
  const bounds = [beforeId ?? null, afterId ?? null]
  const filters = [kind ?? null, keyIds ?? null, storable(dedupKey ?? null), answer ?? null, origin ?? null]
  return [status, ...bounds, ...filters, limit]
}

interface KeysRow {
  readonly id: number
  readonly name: string
  readonly secret: Buffer | null
  readonly owner: string | null
  readonly lease_ms: number
  readonly used_last_minute: number
}

export interface Keys {
  readonly all: () => Promise<FleetKey[]>
  /** The ids of the keys that a filter wants; undefined if it wants all. */
  readonly idsOf: (filter: {
    readonly matchesKey?: (key: SpoolKey) => boolean
  }) => Promise<number[] | undefined>
}

/** Reads the keys that the server has. */
export function createKeys(lane: Lane, seal: Seal): Keys {
  const all = async (): Promise<FleetKey[]> => {
    const rows = await lane.run<KeysRow>('SELECT * FROM pagerduty_alert.keys()')
    return rows.map((row) => ({
      keyId: row.id,
      key: seal.openKey(row.name, row.secret),
      ...(row.owner !== null && row.lease_ms > 0 && { owner: row.owner }),
      leaseMs: row.lease_ms,
      usedLastMinute: row.used_last_minute,
    }))
  }
  return {
    all,
    idsOf: async ({ matchesKey }) => {
      if (matchesKey === undefined) return undefined
      return (await all()).filter(({ key }) => matchesKey(key)).map(({ keyId }) => keyId)
    },
  }
}

interface ProgressRow {
  readonly id: number
  readonly status: ListedStatus
  readonly attempts: number
  readonly http_status: number | null
  readonly reason: string | null
}

function progressOf(id: number, row: ProgressRow | undefined) {
  if (row === undefined) return { id, status: 'delivered' as const, attempts: 1 }
  return {
    id,
    status: row.status === 'discarded' ? ('dead' as const) : row.status,
    attempts: row.attempts,
    ...(row.http_status !== null && { httpStatus: row.http_status }),
    ...(row.reason !== null && { reason: row.reason }),
  }
}

function toListed(row: ListedRow, seal: Seal): FleetEvent {
  const summary = row.summary === null ? undefined : seal.open(row.summary, placeOf(row))
  return {
    id: row.id,
    status: row.status,
    kind: row.kind,
    key: seal.openKey(row.key_name ?? '', row.key_secret),
    origin: row.origin,
    acceptedAtMs: Math.round(row.accepted_at_ms),
    attempts: row.attempts,
    ...(row.owner !== null && { owner: row.owner }),
    ...(row.action !== null && { action: row.action }),
    ...(row.alert !== null && { dedupKey: row.alert }),
    ...(row.http_status !== null && { httpStatus: row.http_status }),
    ...(row.reason !== null && { reason: row.reason }),
    ...(row.due_at_ms !== null && { dueAtMs: Math.round(row.due_at_ms) }),
    ...(row.settled_at_ms !== null && { settledAtMs: Math.round(row.settled_at_ms) }),
    ...(row.note !== null && { note: row.note }),
    ...(summary !== undefined && { summary }),
  }
}

function toShown(row: ShownRow, seal: Seal): FleetShown {
  const body = row.body === null ? undefined : seal.open(row.body, placeOf(row))
  return { ...toListed(row, seal), lastAttempts: row.attempt_log ?? [], ...(body !== undefined && { body }) }
}
