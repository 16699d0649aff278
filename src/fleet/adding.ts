import { placeholders } from './delivering.ts'
import type { Engine } from './engine.ts'
import type { FleetItem } from './fleet-items.ts'
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

/** Adds on a connection, as a part of the transaction that runs there. */
export type AddOn = (run: Lane['run'], items: readonly FleetItem[]) => Promise<readonly number[]>

export function createAddOn({ seal, origin, news }: AddingParts): AddOn {
  return async (run, items) => {
    if (items.length === 0) return []
    const values = [origin, ...toColumns(items, seal)]
    const rows = await run<AddedRow>(`SELECT * FROM pagerduty_alert.add(${placeholders(values)})`, values)
    const ids = rows.map(({ id }) => id)
    const due = rows.flatMap(({ key_id: keyId, is_due: isDue }) => (isDue ? [keyId] : []))
    news.tell({ dueKeyIds: [...new Set(due)], changedIds: ids })
    await joinDeployments(run, origin, items)
    return ids
  }
}

/** Adds events to deployments whose other events are not among these items. */
async function joinDeployments(run: Lane['run'], origin: string, items: readonly FleetItem[]): Promise<void> {
  const groups = items.flatMap(({ originId, others = [] }, index) =>
    others.length === 0 ? [] : [originId, ...others].map((id) => ({ id, number: index })),
  )
  if (groups.length === 0) return
  const values = [origin, groups.map(({ id }) => id), groups.map(({ number }) => number)]
  await run('SELECT pagerduty_alert.join_deployments($1, $2, $3)', values)
}

/** Adds on each lane in turn. */
export function createAdd(lanes: readonly Lane[], addOn: AddOn): Engine['add'] {
  let next = 0
  return async (items) => {
    const lane = lanes[next++ % lanes.length]
    return lane === undefined ? [] : await addOn((text, values) => lane.run(text, values), items)
  }
}
