import { randomUUID } from 'node:crypto'
import { toRow, type NewRow } from '../spool/rows.ts'
import type { DeadCause, SpoolItem } from '../spool/spool.ts'

/** An event to add, in the form in which the spool stores it, with its origin. */
export interface FleetItem extends NewRow {
  /** Together with the engine's `origin` it names the event: added again, it gets the id that it has. At most 64 characters. */
  readonly originId: string
  /** Items that belong together have the same number: a deployment that one of them reports has them all. Absent if it is alone. */
  readonly request?: number
  /** Events of the same deployment that are added before or after these items, by their `originId`. */
  readonly others?: readonly string[]
  /** How long ago the relay accepted it; 0 if it does so now. */
  readonly ageMs: number
  /**
   * The result of an event that the relay settled alone while the server was away: it is only listed. If the event is pending in
   * the fleet because an earlier answer was lost, it is not delivered again.
   */
  readonly settled?: FleetSettled
}

export type FleetSettled =
  | { readonly kind: 'delivered'; readonly attempts: number; readonly httpStatus: number }
  | {
      readonly kind: 'dead'
      readonly attempts: number
      readonly cause: DeadCause
      readonly reason: string
      readonly httpStatus?: number
    }

/** Items of one request, in the form in which they are added by a process that has no spool to name them by. */
export function toFleetItems(items: readonly SpoolItem[]): FleetItem[] {
  return items.map((item) => ({
    ...toRow(item, Date.now()),
    originId: randomUUID(),
    request: 1,
    ageMs: 0,
  }))
}
