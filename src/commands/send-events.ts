import type { Event } from '../core/event.ts'
import { createMask } from '../core/mask-event.ts'
import type { RoutingKey } from '../core/routing-key.ts'
import type { Secret } from '../core/secret.ts'
import { isKeyLookedUp } from '../config/load.ts'
import { addressEvents, type Post } from '../delivery/address.ts'
import { openEarly, type EarlyConnections } from '../delivery/preconnect.ts'
import { describeRequest } from '../delivery/request.ts'
import type { Delivery } from '../delivery/sender.ts'
import { version } from '../version.ts'
import {
  describeAttempt,
  describePost,
  describeRetry,
  exitCodeOf,
  jsonLine,
  logDelivery,
  triggeredKey,
  verdictOf,
} from '../cli/report.ts'
import { resolveKeys } from './rest-access.ts'
import type { Session } from '../cli/session.ts'

/**
 * Sends events, or prints them with `--dry-run`, and reports what came of it. Nothing is connected to before it is clear that
 * they can be sent.
 * @param ownKey a key that the event brought along, which wins over the configured ones
 * @returns the exit status
 */
export async function sendEvents(
  session: Session,
  events: readonly Event[],
  ownKey?: RoutingKey,
): Promise<number> {
  const { config, io } = session
  const keys = ownKey === undefined ? await resolveKeys(session) : [ownKey]
  // A key that was looked up is known only now; every other secret was masked before the events were made.
  const shown = isKeyLookedUp(config) ? createMask(keys.map(({ key }) => key))(events) : events
  const posts = addressEvents(shown, { ...config.delivery, keys })
  if (config.dryRun) {
    for (const { event, destination } of posts) {
      io.writeOut(`${JSON.stringify(describeRequest(event, destination))}\n`)
    }
    return 0
  }
  const sending = ownKey === undefined ? withKeys(session, keys) : session
  // Where the key was looked up, what follows is loaded already.
  const early = isKeyLookedUp(config) ? undefined : openEarly(config.delivery, posts.length)
  return report(session, await deliverPosts(sending, posts, early))
}

/** The session with the keys that were found for it. */
function withKeys(session: Session, keys: readonly RoutingKey[]): Session {
  return { ...session, config: { ...session.config, delivery: { ...session.config.delivery, keys } } }
}

/** Sends the posts. Its connections end with the process, or when they are idle: to end them here would take 3 ms. */
async function deliverPosts(
  session: Session,
  posts: readonly Post[],
  early: EarlyConnections | undefined,
): Promise<Delivery[]> {
  const { io, config, log } = session
  await early?.underWay
  // Loaded here, so that help, refusals and dry runs do not pay for the HTTP client.
  const { composeSender } = await import('../compose.ts')
  const sender = composeSender({
    delivery: { ...config.delivery, secrets: [...config.delivery.secrets, ...ownSecrets(posts)] },
    startedAtMs: io.startedAtMs,
    version,
    signal: io.signal,
    onAttempt: (post, attempt) => log.debug(describeAttempt(post, attempt)),
    onRetry: (post, retry) => log.info(describeRetry(post, retry)),
    early,
  })
  if (config.spool === undefined) return await sender.send(posts)
  const { deliverOrKeep } = await import('./send-with-spool.ts')
  return await deliverOrKeep(session, config.spool, posts, sender)
}

function report(session: Session, deliveries: readonly Delivery[]): number {
  const { io, config, log, command, json, exitStatus = (own: number) => own } = session
  const verdict = verdictOf(deliveries)
  const isInterrupted = io.signal.aborted && verdict !== 'accepted'
  const exitCode = isInterrupted ? Number(io.signal.reason) : exitCodeOf(verdict)
  for (const delivery of deliveries) {
    if (isInterrupted && delivery.outcome === 'undelivered')
      log.error(`${describePost(delivery.post)}: interrupted`)
    else logDelivery(log, delivery, config.delivery)
  }
  if (json) io.writeOut(jsonLine({ command, outcome: verdict, exitCode: exitStatus(exitCode), deliveries }))
  else if (command === 'trigger' && verdict !== 'refused') {
    io.writeOut(`${triggeredKey(deliveries.map(({ post }) => post.event)) ?? ''}\n`)
  }
  return exitCode
}

/** Keys that the posts carry and the configuration may not know. */
function ownSecrets(posts: readonly Post[]): Secret[] {
  return posts.flatMap(({ destination }) => (destination.routingKey ? [destination.routingKey] : []))
}
