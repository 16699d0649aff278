import type { DeadFilter } from '../spool/spool.ts'
import type { RetryPreview } from '../spool/listing.ts'
import type { EngineListing } from './engine-listing.ts'
import type { Lane } from './lane.ts'
import { findValues, type Keys } from './listing.ts'
import type { News } from './news.ts'
import { storable } from './rows.ts'

/** Dead events that one statement changes. */
const AT_ONCE = 1000

export interface DeadEventsParts {
  readonly lane: Lane
  readonly keys: Keys
  readonly relay: string
  readonly news: News
}

interface RetriedRow {
  readonly retried: number
  readonly left_out: number
  readonly triggers: number
  readonly oldest_at_ms: number | null
  readonly due_key_ids: number[] | null
  readonly ids: number[]
}

/** The changes that people make to dead events. */
export function createDeadEvents({
  lane,
  keys,
  relay,
  news,
}: DeadEventsParts): Pick<EngineListing, 'retry' | 'previewRetry' | 'discard' | 'discardOne'> {
  const discard = async (ids: readonly number[], note: string | null): Promise<number> => {
    const values = [relay, ids, note === null ? null : storable(note)]
    const [row] = await lane.run<{ count: number }>(
      'SELECT pagerduty_alert.discard($1, $2, $3) AS count',
      values,
    )
    news.tell({ dueKeyIds: [], changedIds: ids })
    return row?.count ?? 0
  }
  const revive = async (filter: DeadFilter, isDryRun: boolean): Promise<RetryPreview> => {
    let sum: RetryPreview = { retried: 0, leftOut: 0, triggers: 0 }
    for await (const ids of deadIds(lane, keys, filter)) {
      const values = [ids, 'id' in filter, isDryRun]
      const [row] = await lane.run<RetriedRow>('SELECT * FROM pagerduty_alert.retry($1, $2, $3)', values)
      if (row === undefined) continue
      sum = addTo(sum, row)
      if (!isDryRun) news.tell({ dueKeyIds: row.due_key_ids ?? [], changedIds: row.ids })
    }
    return sum
  }
  return {
    retry: async (filter) => {
      const { retried, leftOut } = await revive(filter, false)
      return { retried, leftOut }
    },
    previewRetry: (filter) => revive(filter, true),
    discard: async (filter) => {
      let count = 0
      for await (const ids of deadIds(lane, keys, filter)) count += await discard(ids, null)
      return count
    },
    discardOne: async (id, note) => (await discard([id], note)) > 0,
  }
}

/** The ids of dead events that match, the oldest first, in parts. Events that become dead during that are left alone. */
async function* deadIds(lane: Lane, keys: Keys, filter: DeadFilter): AsyncGenerator<number[]> {
  if ('id' in filter) {
    yield [filter.id]
    return
  }
  const keyIds = await keys.idsOf(filter)
  const text = 'SELECT id FROM pagerduty_alert.find($1, $2, $3, $4, $5, $6, $7, $8, $9)'
  let ids: number[] = []
  let afterId = 0
  do {
    const rows = await lane.run<{ id: number }>(
      text,
      findValues('dead', keyIds, { ...filter, afterId, limit: AT_ONCE }),
    )
    ids = rows.map(({ id }) => id)
    afterId = ids.at(-1) ?? afterId
    if (ids.length > 0) yield ids
  } while (ids.length === AT_ONCE)
}

function addTo(sum: RetryPreview, row: RetriedRow): RetryPreview {
  const times = [sum.oldestAtMs, row.oldest_at_ms ?? undefined].filter((time) => time !== undefined)
  return {
    retried: sum.retried + row.retried,
    leftOut: sum.leftOut + row.left_out,
    triggers: sum.triggers + row.triggers,
    ...(times.length > 0 && { oldestAtMs: Math.min(...times) }),
  }
}
