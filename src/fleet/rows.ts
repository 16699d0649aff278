import type { Deployment } from '../core/deployment.ts'
import { isObject } from '../core/json.ts'
import { cutChars } from '../core/truncate.ts'
import { checksumOf } from '../spool/rows.ts'
import type { FleetSettlement, TakenEvent } from './engine.ts'
import type { FleetItem } from './fleet-items.ts'
import type { Seal } from './seal.ts'

/** Bytes of an event up to which its summary is kept for lists. */
const MAX_LISTED_BYTES = 16_384
const MAX_SUMMARY_CHARS = 300

/** Items as the arguments of `add`, after the origin: an array for each column. */
export function toColumns(items: readonly FleetItem[], seal: Seal): unknown[][] {
  const rows = items.map((item) => toStored(item, seal))
  const tellers = tellersOf(items)
  return [
    items.map(({ originId }) => originId),
    items.map(({ ageMs }) => ageMs),
    rows.map(({ key }) => key.name),
    rows.map(({ key }) => key.secret),
    items.map(({ kind }) => kind),
    items.map(({ action }) => storable(action)),
    items.map(({ dedupKey }) => storable(dedupKey)),
    items.map(({ key, kind, body }) => checksumOf(key, kind, body)),
    rows.map(({ summary }) => summary),
    rows.map(({ body }) => body),
    items.map(({ settled }) => settled?.kind ?? null),
    items.map(({ settled }) => settled?.attempts ?? null),
    items.map(({ settled }) => settled?.httpStatus ?? null),
    items.map(({ settled }) => (settled?.kind === 'dead' ? settled.cause : null)),
    items.map(({ settled }) => (settled?.kind === 'dead' ? storable(settled.reason) : null)),
    items.map(({ deployment }) => storable(deployment?.identity ?? null)),
    items.map(({ deployment }) => (deployment === undefined ? null : toRecord(deployment))),
    tellers,
    items.map(({ deployment, alertKey }) => (isOutcome(deployment) ? storable(alertKey ?? null) : null)),
    items.map(({ deployment }) => (isOutcome(deployment) ? storable(deployment?.buildId ?? '') : null)),
  ]
}

/** Whether a deployment has ended, so that nothing has to watch the clock for it. */
function isOutcome(deployment: Deployment | undefined): boolean {
  return deployment !== undefined && deployment.state !== 'started'
}

/** A deployment as it is stored, in JSON; with what is known about it beside its events. */
export function toRecord(
  deployment: Deployment,
  more: { readonly told?: unknown; readonly toldId?: unknown } = {},
): string {
  const texts = Object.entries(deployment).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' ? storable(value) : value,
  ])
  return JSON.stringify({ ...Object.fromEntries(texts), told: more.told, toldId: more.toldId })
}

/** PostgreSQL's text holds everything but NUL, and no half of a surrogate pair. What is sent is in the body, unchanged. */
export function storable<T extends string | null>(text: T): T {
  return (text?.replaceAll('\0', '\uFFFD').toWellFormed() ?? null) as T
}

function toStored({ key, kind, dedupKey, body }: FleetItem, seal: Seal) {
  const stored = seal.closeKey(key)
  const place = placeOf({ kind, key_name: stored.name, alert: storable(dedupKey) })
  const summary = summaryOf(body)
  return {
    key: stored,
    body: seal.close(body, place),
    summary: summary === undefined ? null : seal.close(summary, place),
  }
}

function summaryOf(body: string): string | undefined {
  if (body.length > MAX_LISTED_BYTES) return undefined
  const event: unknown = JSON.parse(body)
  const payload = isObject(event) ? event['payload'] : undefined
  const summary = isObject(payload) ? payload['summary'] : undefined
  return typeof summary === 'string' ? cutChars(summary, MAX_SUMMARY_CHARS) : undefined
}

/** Where a text belongs: an encrypted one cannot be moved to another key or alert. */
export function placeOf(
  row: Readonly<Record<'kind', string> & Record<'key_name' | 'alert', string | null>>,
): string {
  return JSON.stringify([row.kind, row.key_name, row.alert])
}

/**
 * For each item the number, from 1, of the item whose deployment it belongs to: its own, or the first of its request. So the
 * resolve that comes with a success belongs to the success.
 */
function tellersOf(items: readonly FleetItem[]): (number | null)[] {
  const ofRequest = new Map<number, number>()
  for (const [index, { deployment, request }] of items.entries()) {
    if (deployment !== undefined && request !== undefined && !ofRequest.has(request))
      ofRequest.set(request, index + 1)
  }
  return items.map(({ deployment, request }, index) => {
    if (deployment !== undefined) return index + 1
    return request === undefined ? null : (ofRequest.get(request) ?? null)
  })
}

/** A row that `take` returns for an event. */
export interface TakenRow {
  readonly id: number
  readonly key_id: number
  readonly key_name: string
  readonly epoch: number
  readonly kind: TakenEvent['kind']
  readonly alert: string | null
  readonly attempts: number
  readonly accepted_at_ms: number
  readonly checksum: number
  readonly body: Buffer
}

/** An event whose body cannot be opened has an empty one, which does not match its checksum: it is damaged. */
export function toTaken(row: TakenRow, seal: Seal): TakenEvent {
  return {
    id: row.id,
    keyId: row.key_id,
    epoch: row.epoch,
    kind: row.kind,
    ...(row.alert !== null && { dedupKey: row.alert }),
    body: seal.open(row.body, placeOf(row)) ?? '',
    attempts: row.attempts,
    acceptedAtMs: row.accepted_at_ms,
    checksum: row.checksum,
  }
}

/** Settlements as the arguments of `settle`, after the relay: an array for each column. */
export function toResults(settlements: readonly FleetSettlement[]): unknown[][] {
  const reasonOf = (settlement: FleetSettlement): string | null =>
    settlement.kind === 'delivered' ? null : storable(cutChars(settlement.reason, MAX_REASON_CHARS))
  return [
    settlements.map(({ id }) => id),
    settlements.map(({ keyId }) => keyId),
    settlements.map(({ epoch }) => epoch),
    settlements.map(({ checksum }) => checksum),
    settlements.map(({ kind }) => kind),
    settlements.map(({ httpStatus }) => httpStatus ?? null),
    settlements.map((settlement) => (settlement.kind === 'dead' ? settlement.cause : null)),
    settlements.map(reasonOf),
    settlements.map((settlement) => (settlement.kind === 'postponed' ? settlement.waitMs : null)),
    settlements.map(attemptOf),
  ]
}

const MAX_REASON_CHARS = 2000
/** Longest reason of an attempt that is kept: an event keeps ten attempts. */
const MAX_ATTEMPT_CHARS = 200

function attemptOf(settlement: FleetSettlement): string | null {
  const { attempt, httpStatus } = settlement
  if (attempt === undefined) return null
  return JSON.stringify({
    ...attempt,
    ...(httpStatus !== undefined && { httpStatus }),
    ...(settlement.kind !== 'delivered' && {
      reason: storable(cutChars(settlement.reason, MAX_ATTEMPT_CHARS)),
    }),
  })
}
