import type { DatabaseSync } from 'node:sqlite'
import { alertKeyOf, deploymentOf } from '../core/deployment.ts'
import type { Event, EventBody } from '../core/event.ts'
import { isObject } from '../core/json.ts'
import { overdueAlert } from '../core/started.ts'
import type { Add, Transaction } from './changes.ts'
import { LEFT, timeParameters, type SpoolTime } from './deadline-table.ts'
import { MAX_DEADLINES, type Begun, type Missed, type Start } from './deadlines.ts'
import { createRecordDeployments } from './deployment-table.ts'
import { createInternKey } from './intern-key.ts'
import { DEFAULT_NAME } from './key-names.ts'
import { readable } from './numbers.ts'
import { toKey, toRow, type KeyRow } from './rows.ts'
import { prepareAll, prepareGet, prepareRun } from './statements.ts'

/** Records a deployment that has begun, and its deadline. */
export type Begin = (tx: Transaction, start: Start, time: SpoolTime) => Begun

/** Prepares the statements for beginning. */
export function createBegin(db: DatabaseSync): Begin {
  const record = createRecordDeployments(db)
  const internKey = createInternKey(db)
  const count = prepareGet<{ count: number }>(db, 'SELECT count(*) AS count FROM deadlines')
  const find = prepareGet<{ left_ms: number }>(
    db,
    `SELECT ${LEFT} AS left_ms FROM deadlines WHERE dedup_key = ?4 AND build = ?5`,
  )
  const write = prepareRun(db, 'INSERT OR REPLACE INTO deadlines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  return (tx, { event, keys, withinMs, elapsedMs = 0 }, time) => {
    const { nowMs, boot } = time
    const deployment = deploymentOf(event, nowMs)
    if (deployment === undefined) throw new Error('the event of a start reports no deployment')
    const [dedupKey, build] = [alertKeyOf(event, deployment), deployment.buildId ?? '']
    const known = find(...timeParameters(time), dedupKey, build)
    const isKnown = known !== undefined
    if (withinMs !== undefined && !isKnown && (count()?.count ?? 0) >= MAX_DEADLINES)
      return { kind: 'full', limit: MAX_DEADLINES }
    const newId = (): number => tx.nextId++
    const kind = record.begun(deployment, newId)
    tx.changedIds.push(tx.nextId - 1) // those who look at the list must see it
    if (kind === 'ended') return { kind }
    if (withinMs === undefined) return { kind, dueInMs: known?.left_ms }
    const keyIds = keys.map(internKey)
    write(
      dedupKey,
      build,
      deployment.identity,
      Math.round(elapsedMs + withinMs),
      Math.round(withinMs),
      Math.round(nowMs + withinMs),
      boot?.id ?? null,
      Math.round((boot?.uptimeMs ?? 0) + withinMs),
      JSON.stringify(keyIds),
      JSON.stringify(event.body),
    )
    return { kind, dueInMs: withinMs, isKnown }
  }
}

interface DueRow {
  readonly dedup_key: string
  readonly build: string
  readonly span: number
  readonly within: number
  readonly left_ms: number
  readonly key_ids: string
  readonly event: string
}

/** What one transaction triggered, and whether the spool was too full for all. */
export interface Expired {
  readonly missed: readonly Missed[]
  readonly isFull: boolean
}

/** Triggers the alerts of deployments whose time is over. */
export type Expire = (tx: Transaction, time: SpoolTime & { readonly limit: number }) => Expired

/** Deadlines that one transaction handles: it blocks the event loop. */
const AT_ONCE = 100

/** Prepares the statements for expiring. */
export function createExpire(db: DatabaseSync, add: Add): Expire {
  const due = prepareAll<DueRow>(
    db,
    `SELECT dedup_key, build, ${readable('span')} AS span, ${readable('within')} AS within, ${LEFT} AS left_ms,
     key_ids, event FROM deadlines WHERE ${LEFT} <= 0 LIMIT ${AT_ONCE}`,
  )
  const keyOf = prepareGet<KeyRow>(db, 'SELECT name, secret FROM keys WHERE id = ?')
  const remove = prepareRun(db, 'DELETE FROM deadlines WHERE dedup_key = ? AND build = ?')
  return (tx, { limit, ...time }) => {
    const missed: Missed[] = []
    for (const row of due(...timeParameters(time))) {
      const alert = alertOf(row)
      const keys = idsIn(row.key_ids).map((id) => keyOf(id) ?? NO_KEY)
      const rows = (keys.length > 0 ? keys : [NO_KEY]).map((key) =>
        toRow({ event: alert, key: toKey(key) }, tx.nowMs),
      )
      if (add(tx, rows, limit) === undefined) return { missed, isFull: true }
      remove(row.dedup_key, row.build)
      missed.push({ dedupKey: row.dedup_key, summary: alert.body.payload?.summary ?? '' })
    }
    return { missed, isFull: false }
  }
}

/** The key of the process that delivers, for a row that the disk has corrupted. */
const NO_KEY: KeyRow = { name: DEFAULT_NAME, secret: null }

function alertOf({ dedup_key: dedupKey, build, span, within, left_ms: leftMs, event }: DueRow): Event {
  return overdueAlert(
    { kind: 'alert', body: bodyIn(event) ?? bareBody(dedupKey, build) },
    {
      elapsedMs: span - leftMs,
      silentMs: within - leftMs,
      nowIso: new Date().toISOString(),
    },
  )
}

/** The body of a deadline's event; undefined if the disk has altered it. */
export function bodyIn(event: string): EventBody | undefined {
  try {
    const body: unknown = JSON.parse(event)
    return isObject(body) && isObject(body['payload']) ? body : undefined
  } catch {
    return undefined
  }
}

/** If the disk has altered the event, somebody still has to learn that a deployment never ended. */
function bareBody(dedupKey: string, build: string): EventBody {
  return {
    event_action: 'trigger',
    dedup_key: dedupKey,
    payload: {
      summary: `Deployment under the key ${dedupKey}`,
      source: dedupKey,
      severity: 'error',
      custom_details: { ...(build !== '' && { build_id: build }) },
    },
  }
}

/** The ids of a deadline's keys. */
export function idsIn(keyIds: string): number[] {
  try {
    const ids: unknown = JSON.parse(keyIds)
    return Array.isArray(ids) ? ids.filter((id): id is number => Number.isSafeInteger(id)) : []
  } catch {
    return []
  }
}
