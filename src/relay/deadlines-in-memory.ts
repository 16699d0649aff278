import { alertKeyOf, deploymentOf } from '../core/deployment.ts'
import type { Event } from '../core/event.ts'
import { meaningOf } from '../core/outcome.ts'
import { overdueAlert } from '../core/started.ts'
import { MAX_DEADLINES, type Begun, type Deadlines, type Missed, type Start } from '../spool/deadlines.ts'
import type { SpoolItem } from '../spool/spool.ts'
import type { DeploymentRing } from './deployment-ring.ts'
import { statusOf, type EventResult } from './result.ts'

/** How long to wait before an alert that PagerDuty did not get is sent again. */
const AGAIN_MS = 3000

export interface MemoryDeadlines extends Deadlines {
  /** The event was accepted: if it is an outcome, its deployment has ended. */
  readonly ended: (event: Event) => void
}

export interface MemoryDeadlinesDeps {
  readonly deployments: DeploymentRing
  /** Sends alerts at once. */
  readonly send: (items: readonly SpoolItem[]) => Promise<readonly EventResult[]>
}

interface Running {
  readonly start: Start
  readonly dedupKey: string
  readonly buildId: string
  readonly begunAtMs: number
  readonly dueAtMs: number
  /** When to send its alert again. */
  readonly againAtMs: number
}

/** Milliseconds by a clock that never steps. */
const now = (): number => performance.now()

/** Deadlines of a relay without a spool, which end with the process. */
export function createMemoryDeadlines(deps: MemoryDeadlinesDeps): MemoryDeadlines {
  const running = new Map<string, Running>()
  return {
    begin: (start) => Promise.resolve(begin(start, deps, running)),
    expire: async () => {
      const due = [...running].filter(([, { againAtMs }]) => againAtMs <= now())
      const missed = await Promise.all(
        due.map(async ([name, one]): Promise<Missed[]> => {
          running.set(name, { ...one, againAtMs: now() + AGAIN_MS })
          const alert = await trigger(one, deps)
          if (alert === undefined) return []
          running.delete(name)
          return [{ dedupKey: one.dedupKey, summary: alert.body.payload?.summary ?? '' }]
        }),
      )
      const next = Math.min(...[...running.values()].map(({ againAtMs }) => againAtMs))
      return { missed: missed.flat(), nextInMs: Number.isFinite(next) ? next - now() : undefined }
    },
    counts: () => {
      const overdue = [...running.values()].filter(({ dueAtMs }) => dueAtMs <= now()).length
      return { open: running.size - overdue, overdue }
    },
    ended: (event) => {
      const deployment = deploymentOf(event, 0)
      if (deployment === undefined || deployment.state === 'started') return
      const dedupKey = alertKeyOf(event, deployment)
      for (const [name, one] of running)
        if (one.dedupKey === dedupKey && isSameBuild(one.buildId, deployment.buildId)) running.delete(name)
    },
  }
}

function begin(start: Start, { deployments }: MemoryDeadlinesDeps, running: Map<string, Running>): Begun {
  const { event, withinMs, elapsedMs = 0 } = start
  const deployment = deploymentOf(event, Date.now())
  if (deployment === undefined) throw new Error('the event of a start reports no deployment')
  const dedupKey = alertKeyOf(event, deployment)
  const { buildId = '' } = deployment
  const name = JSON.stringify([dedupKey, buildId])
  const known = running.get(name)
  const isKnown = known !== undefined
  if (withinMs !== undefined && !isKnown && running.size >= MAX_DEADLINES)
    return { kind: 'full', limit: MAX_DEADLINES }
  if (!deployments.begin(deployment, withinMs)) return { kind: 'ended' }
  if (withinMs === undefined) return { kind: 'running', dueInMs: known && known.dueAtMs - now() }
  const dueAtMs = now() + withinMs
  const begunAtMs = now() - elapsedMs
  const one = { start, dedupKey, buildId, begunAtMs, dueAtMs, againAtMs: dueAtMs }
  running.set(name, one)
  return { kind: 'running', dueInMs: withinMs, isKnown }
}

/** Sends the alert of a deployment whose time is over. @returns the alert, or undefined if it has to be sent again */
async function trigger(
  { start, dueAtMs, begunAtMs }: Running,
  { send }: MemoryDeadlinesDeps,
): Promise<Event | undefined> {
  const { withinMs = 0, event, keys } = start
  const alert = overdueAlert(event, {
    elapsedMs: now() - begunAtMs,
    silentMs: now() - dueAtMs + withinMs,
    nowIso: new Date().toISOString(),
  })
  const results = await send(keys.map((key) => ({ event: alert, key })))
  // What PagerDuty refuses for good is in the metrics, and would be refused again.
  const isSettled = results.every((result) =>
    ['accepted', 'refused'].includes(meaningOf(statusOf(result)).kind),
  )
  return isSettled ? alert : undefined
}

/** If one of them is not known, the dedup key decides. */
function isSameBuild(one: string, other = ''): boolean {
  return one === other || one === '' || other === ''
}
