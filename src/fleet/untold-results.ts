import type { Event } from '../core/event.ts'
import { isObject } from '../core/json.ts'
import type { ListedSpool } from '../spool/listing.ts'
import { keyText, toKey, toRow, type NewRow } from '../spool/rows.ts'
import type { SpoolKey } from '../spool/spool.ts'
import type { AttemptReport } from '../spool/worker/types.ts'
import { groupByDeployment } from './deployment-groups.ts'
import type { Engine } from './engine.ts'
import type { FleetItem, FleetSettled } from './fleet-items.ts'
import { AT_ONCE } from './write-through.ts'

/** What was delivered or refused without the fleet, until the fleet lists it. */
export interface UntoldResults {
  readonly add: (report: AttemptReport, settled: FleetSettled) => void
  /** Tells the fleet. Rejects with a `Failure` if it does not answer; then the rest is told the next time. */
  tell(): Promise<void>
  /** How many are left to tell. */
  left(): number
}

export interface UntoldDeps {
  readonly engine: Pick<Engine, 'add'>
  readonly spool: Pick<ListedSpool, 'forwarding' | 'show' | 'discard' | 'queue'>
  /** The name of a key in the fleet. */
  readonly canonical: (key: SpoolKey) => SpoolKey
}

/** Results that are kept. */
const MAX_KEPT = 10_000

interface Kept {
  /** The event's id in the spool. */
  readonly id: number
  readonly acceptedAtMs: number
  readonly settled: FleetSettled
  /** What the list needs of a delivered event. A dead one is still in the spool. */
  readonly row?: NewRow
}

/** Those that an earlier process of this relay delivered are told, too. */
export function createUntoldResults(deps: UntoldDeps): UntoldResults {
  const { engine, spool, canonical } = deps
  let kept = spool.forwarding.untold(MAX_KEPT).flatMap(({ id, text }) => parse(id, text) ?? [])
  const toItems = (some: readonly Kept[]): FleetItem[] => {
    const groups = groupByDeployment(
      spool.forwarding,
      some.map(({ id }) => id),
    )
    return some.flatMap(({ id, acceptedAtMs, settled, row = deadRow(id, deps) }, index) => {
      if (row === undefined) return [] // somebody has retried or discarded it
      const ageMs = Math.max(0, spool.queue.now() - acceptedAtMs)
      return [{ ...row, originId: String(id), ageMs, settled, ...groups[index] }]
    })
  }
  const tell = async (): Promise<void> => {
    while (kept.length > 0) {
      const some = kept.slice(0, AT_ONCE)
      const items = toItems(some)
      if (items.length > 0) await engine.add(items)
      kept = kept.slice(some.length)
      for (const { originId, settled } of items)
        if (settled?.kind === 'dead') await spool.discard({ id: Number(originId) })
      await spool.forwarding.forgetUntold(some.map(({ id }) => id))
    }
  }
  let telling: Promise<void> | undefined
  return {
    add: ({ event, key }, settled) => {
      if (kept.length >= MAX_KEPT) return
      const { id, acceptedAtMs } = event
      const named = canonical(key)
      const isDelivered = settled.kind === 'delivered'
      const result = { id, acceptedAtMs, settled, ...(isDelivered && { row: deliveredRow(event, named) }) }
      kept.push(result)
      if (isDelivered) void spool.forwarding.keepUntold({ id, text: toText(result, named) })
    },
    left: () => kept.length,
    tell: () => (telling ??= tell().finally(() => (telling = undefined))),
  }
}

/** Its content is no longer needed, and may be large. */
function deliveredRow({ kind, body, acceptedAtMs }: AttemptReport['event'], key: SpoolKey): NewRow {
  const content = JSON.parse(body) as Event['body']
  const row = toRow({ event: { kind, body: content }, key }, acceptedAtMs)
  return { ...row, body: JSON.stringify({ payload: { summary: content.payload?.summary } }) }
}

function deadRow(id: number, { spool, canonical }: UntoldDeps): NewRow | undefined {
  const event = spool.show(id)
  if (event?.status !== 'dead' || event.body === undefined) return undefined
  const { kind, acceptedAtMs, body } = event
  const content = { kind, body: JSON.parse(body) as Event['body'] }
  return { ...toRow({ event: content, key: canonical(event.key) }, acceptedAtMs), body }
}

function toText({ row, acceptedAtMs, settled }: Kept, key: SpoolKey): string {
  const column = key.kind === 'own' ? 'secret' : 'name'
  return JSON.stringify({ acceptedAtMs, settled, row: { ...row, key: { [column]: keyText(key) } } })
}

/** Undefined for what the disk has altered. */
function parse(id: number, text: string): Kept | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    if (!isObject(parsed) || !isObject(parsed['row']) || !isObject(parsed['row']['key'])) return undefined
    const { row, ...result } = parsed as unknown as Kept & {
      row: Omit<NewRow, 'key'> & { key: { name?: string; secret?: string } }
    }
    const { name = null, secret = null } = row.key
    return { ...result, id, row: { ...row, key: toKey({ name, secret }) } }
  } catch {
    return undefined
  }
}
