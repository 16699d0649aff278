import { Failure } from '../core/failure.ts'
import type { ListedSpool } from '../spool/listing.ts'
import type { Progress } from '../spool/spool.ts'
import type { Engine } from './engine.ts'

/**
 * The progress of events that were added to a relay's own spool, wherever they are now: this process or another one that uses
 * the same spool may have moved them to the fleet. An event that is in the fleet, which does not answer, counts as pending.
 */
export async function spooledProgress(
  engine: Pick<Engine, 'idsOf' | 'progress'>,
  spool: Pick<ListedSpool, 'show'>,
  spoolIds: readonly number[],
): Promise<Progress[]> {
  const here = new Map(spoolIds.flatMap((id) => toProgress(id, spool.show(id))))
  const moved = spoolIds.filter((id) => !here.has(id))
  const there = moved.length === 0 ? [] : await askFleet(engine, moved)
  return spoolIds.map((id) => here.get(id) ?? there[moved.indexOf(id)] ?? pending(id))
}

async function askFleet(
  engine: Pick<Engine, 'idsOf' | 'progress'>,
  spoolIds: readonly number[],
): Promise<Progress[]> {
  try {
    const ids = await engine.idsOf(spoolIds.map(String))
    const known = await engine.progress(ids.filter((id) => id !== undefined))
    const byId = new Map(known.map((progress) => [progress.id, progress]))
    // What neither has was delivered long ago.
    return spoolIds.map((spoolId, index) => ({
      ...(byId.get(ids[index] ?? 0) ?? { status: 'delivered', attempts: 1 }),
      id: spoolId,
    }))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return spoolIds.map(pending)
  }
}

function toProgress(id: number, shown: ReturnType<ListedSpool['show']>): [number, Progress][] {
  if (shown === undefined) return []
  const { status, attempts, httpStatus, reason } = shown
  return [
    [
      id,
      {
        id,
        status: status === 'discarded' ? 'dead' : status,
        attempts,
        ...(httpStatus !== undefined && { httpStatus }),
        ...(reason !== undefined && { reason }),
      },
    ],
  ]
}

function pending(id: number): Progress {
  return { id, status: 'pending', attempts: 0 }
}
