import { placeholders } from './delivering.ts'
import type { Engine, FleetItem } from './engine.ts'
import type { Lane } from './lane.ts'
import type { News } from './news.ts'
import { toColumns } from './rows.ts'
import type { Seal } from './seal.ts'

export interface AddingParts {
  readonly seal: Seal
  readonly origin: string
  readonly news: News
}

interface AddedRow {
  readonly id: number
  readonly key_id: number
  readonly is_due: boolean
}

/** Adds on each lane in turn. */
export function createAdd(lanes: readonly Lane[], { seal, origin, news }: AddingParts): Engine['add'] {
  let next = 0
  return async (items: readonly FleetItem[]) => {
    if (items.length === 0) return []
    const values = [origin, ...toColumns(items, seal)]
    const lane = lanes[next++ % lanes.length]
    const text = `SELECT * FROM pagerduty_alert.add(${placeholders(values)})`
    const rows = (await lane?.run<AddedRow>(text, values)) ?? []
    const ids = rows.map(({ id }) => id)
    const due = rows.flatMap(({ key_id: keyId, is_due: isDue }) => (isDue ? [keyId] : []))
    news.tell({ dueKeyIds: [...new Set(due)], changedIds: ids })
    return ids
  }
}
