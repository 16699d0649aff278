import { randomUUID } from 'node:crypto'
import { toRow } from '../spool/rows.ts'
import type { SpoolItem } from '../spool/spool.ts'
import type { FleetItem } from './engine.ts'

/** Items of one request, in the form in which they are added by a process that has no spool to name them by. */
export function toFleetItems(items: readonly SpoolItem[]): FleetItem[] {
  return items.map((item) => ({
    ...toRow(item, Date.now()),
    originId: randomUUID(),
    request: 1,
    ageMs: 0,
  }))
}
