import { isSameRun, mergeDeployments, type Deployment } from '../core/deployment.ts'
import { isObject } from '../core/json.ts'
import type { DeliveryState } from '../spool/deployment-log.ts'
import type { StoredDeployment } from '../spool/deployment-reads.ts'
import { placeholders } from './delivering.ts'
import type { Lane } from './lane.ts'
import { storable, toRecord } from './rows.ts'

/** Event ids of one deployment that are kept: a failing one may be reported again and again. */
const MAX_EVENT_IDS = 50
/** As many as `told_deployments` returns. */
const TOLD_AT_ONCE = 100

type Run = Lane['run']

/** A row of `deployment` or `told`. */
export interface DeploymentRow {
  readonly id: number
  readonly event_ids: readonly number[]
  readonly record: unknown
}

interface ToldRow extends DeploymentRow {
  readonly is_told: boolean
}

/** A deployment that is reported apart from its events. */
export interface Report {
  /** An id that nothing else has. */
  readonly toldId: number
  readonly deployment: Deployment
  readonly told?: DeliveryState | undefined
}

/** What is stored about a deployment, whole. */
type Stored = Omit<StoredDeployment, 'dueAtMs' | 'told'> & { readonly told?: DeliveryState | undefined }

/**
 * Merges what the events of all relays report about deployments, and then a report, if there is one. Must run in a
 * transaction.
 * @returns the deployment of the report as it is now
 */
export async function mergeTold(run: Run, report?: Report): Promise<Stored | undefined> {
  for (;;) {
    const text = 'SELECT * FROM pagerduty_alert.told_deployments($1)'
    const rows = await run<ToldRow>(text, [report?.deployment.identity ?? null])
    const told = rows.filter(({ is_told: isTold }) => isTold)
    const isLast = told.length < TOLD_AT_ONCE
    const entries = createEntries(rows.filter(({ is_told: isTold }) => !isTold))
    for (const row of told) {
      const entry = toStored(row)
      if (entry !== undefined) entries.merge(entry, entry.told)
    }
    const merged = report === undefined || !isLast ? undefined : entries.merge(toEntry(report), report.told)
    const changed = entries.changed()
    if (told.length > 0 || changed.length > 0) {
      const values = [told.map(({ id }) => id), ...columnsOf(changed)]
      await run(`SELECT pagerduty_alert.merge_deployments(${placeholders(values)})`, values)
    }
    if (isLast) return merged
  }
}

function toEntry({ toldId, deployment }: Report): Stored {
  return { ...deployment, id: toldId, eventIds: [], toldId }
}

interface Entries {
  readonly merge: (reported: Stored, told: DeliveryState | undefined) => Stored
  readonly changed: () => Stored[]
}

/** The deployments of some identities, the latest first, and those among them that are new or changed. */
function createEntries(known: readonly DeploymentRow[]): Entries {
  const entries = known.flatMap((row) => toStored(row) ?? []).toSorted((a, b) => b.id - a.id)
  const changed = new Map<number, Stored>()
  return {
    merge: (reported, told) => {
      const index = entries.findIndex((entry) => isSameRun(entry, reported))
      const before = entries[index]
      const merged = before === undefined ? { ...reported, told } : mergeStored(before, reported, told)
      if (before === undefined) entries.unshift(merged)
      else entries[index] = merged
      changed.set(merged.id, merged)
      return merged
    },
    changed: () => [...changed.values()],
  }
}

function mergeStored(known: Stored, reported: Stored, told: DeliveryState | undefined): Stored {
  const eventIds = [...new Set([...known.eventIds, ...reported.eventIds])].slice(-MAX_EVENT_IDS)
  const toldId = reported.state === 'started' ? known.toldId : reported.toldId
  return {
    ...mergeDeployments(recordOf(known), recordOf(reported)),
    id: known.id,
    eventIds,
    told: known.told === 'dead' ? known.told : (told ?? known.told),
    ...(toldId !== undefined && { toldId }),
  }
}

function recordOf(entry: Stored): Deployment {
  const { id: _id, eventIds: _eventIds, told: _told, toldId: _toldId, ...deployment } = entry
  return deployment
}

function columnsOf(entries: readonly Stored[]): unknown[][] {
  return [
    entries.map(({ id }) => id),
    entries.map(({ identity }) => storable(identity)),
    entries.map(({ state }) => state),
    entries.map(({ repository }) => storable(repository ?? null)),
    entries.map(({ environment }) => storable(environment ?? null)),
    entries.map(({ startedAtMs }) => startedAtMs ?? null),
    entries.map(({ endedAtMs }) => endedAtMs ?? null),
    entries.map(({ eventIds }) => `{${eventIds.join(',')}}`),
    entries.map((entry) => toRecord(recordOf(entry), entry)),
  ]
}

/** Undefined for a row that somebody has altered: the list continues without it. */
export function toStored({ id, event_ids: eventIds, record }: DeploymentRow): Stored | undefined {
  if (!isObject(record) || typeof record['identity'] !== 'string') return undefined
  return { toldId: id, ...(record as unknown as Deployment), id, eventIds }
}
