import type { Post } from '../delivery/request.ts'
import type { Delivery, Sender } from '../delivery/sender.ts'
import type { Log } from '../log.ts'
import { inOrder, toUntried } from './deliveries.ts'
import type { FleetLink } from './spool-sending.ts'

export interface FleetSending {
  readonly sender: Sender
  readonly fleet: FleetLink
  readonly log: Log
}

/**
 * Sends posts without a spool. A post whose alert has earlier events in the fleet goes behind them; so does, after the deadline,
 * what PagerDuty did not take. What the fleet does not take is sent as if there were none.
 */
export async function sendWithFleet(
  posts: readonly Post[],
  { sender, fleet, log }: FleetSending,
): Promise<Delivery[]> {
  const held = await fleet.findHeld(posts)
  const behind = await keep([...held].map(([post, reason]) => toUntried(post, reason)))
  const sent = await sender.send(posts.filter((post) => !behind.some((delivery) => delivery.post === post)))
  const late = await keep(sent.filter(({ outcome }) => outcome === 'undelivered'))
  const others = sent.filter(({ post }) => !late.some((delivery) => delivery.post === post))
  const deliveries = inOrder(posts, [...behind, ...others, ...late])
  await fleet.note(deliveries)
  return deliveries

  /** Those that are in the fleet now: all or none. */
  async function keep(some: readonly Delivery[]): Promise<Delivery[]> {
    if (some.length === 0) return []
    const problem = await fleet.keep(some.map(({ post }) => post))
    if (problem === undefined) return some.map((delivery) => ({ ...delivery, outcome: 'queued' }))
    log.warn(`the fleet keeps nothing: ${problem}`)
    return []
  }
}
