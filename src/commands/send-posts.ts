import { describeAttempt, describeRetry, logDeliveries, printDeliveries } from '../cli/report.ts'
import type { Io, Session } from '../cli/session.ts'
import type { DeliveryConfig } from '../config/delivery.ts'
import { isKeyLookedUp } from '../config/load.ts'
import type { Event } from '../core/event.ts'
import { createMask } from '../core/mask-event.ts'
import type { RoutingKey } from '../core/routing-key.ts'
import type { Secret } from '../core/secret.ts'
import { addressEvents, describeRequest, type Post } from '../delivery/request.ts'
import { compileIpPattern } from '../delivery/ip-pattern.ts'
import { openEarly } from '../delivery/preconnect.ts'
import type { Delivery } from '../delivery/sender.ts'
import { version } from '../version.ts'
import { keyLookUp, resolveKeys, type KeyContext } from './rest-access.ts'
import type { FleetLink } from './spool-sending.ts'
import type { KeyLookUp } from '../rest/remember-key.ts'

/** What sending needs: also the name of this machine, for a fleet. */
type SendContext = KeyContext & Pick<Session, 'transport'> & { readonly io: Pick<Io, 'hostname'> }

/** Events, each with where it goes. */
export interface Addressed {
  readonly posts: readonly Post[]
  /** The settings that they are delivered with, and the keys that were found. */
  readonly delivery: DeliveryConfig
}

/**
 * Pairs events with the keys they are sent with. Opens no connection for the events yet.
 * @param ownKey a key in the event itself, which wins over the configured ones
 * @throws Failure if there is no key for them
 */
export async function addressPosts(
  session: KeyContext,
  events: readonly Event[],
  ownKey?: RoutingKey,
): Promise<Addressed> {
  const { config } = session
  const keys = ownKey === undefined ? await resolveKeys(session) : [ownKey]
  // A key that was looked up is known only now; every other secret was masked before the events were made.
  const shown = isKeyLookedUp(config) ? createMask(keys.map(({ key }) => key))(events) : events
  const posts = addressEvents(shown, { ...config.delivery, keys })
  return { posts, delivery: ownKey === undefined ? { ...config.delivery, keys } : config.delivery }
}

/** `--dry-run`: prints the requests that would be made, one JSON line each, with the key masked. */
export function printRequests(io: Pick<Io, 'writeOut'>, { posts }: Addressed): void {
  for (const { event, destination } of posts)
    io.writeOut(`${JSON.stringify(describeRequest(event, destination))}\n`)
}

/**
 * Sends posts until they are accepted or the deadline passes. The connections close with the process, or when they are
 * idle: closing them here would take 3 ms.
 * @returns the result of each post
 */
export async function sendPosts(
  session: SendContext,
  { posts, delivery }: Addressed,
): Promise<readonly Delivery[]> {
  const { io, config, log, transport } = session
  // If the key was looked up, the HTTP client is loaded already.
  const isLoaded = transport !== undefined || isKeyLookedUp(config)
  if (!isLoaded) compileIpPattern()
  const early = isLoaded ? undefined : openEarly(delivery, posts.length)
  await early?.started
  const { composeSender } = await import('../compose.ts') // help, refusals and dry runs need no HTTP client
  const sender = composeSender({
    delivery: { ...delivery, secrets: [...delivery.secrets, ...keysIn(posts)] },
    startedAtMs: io.startedAtMs,
    version,
    signal: io.signal,
    onAttempt: (post, attempt) => log.debug(describeAttempt(post, attempt)),
    onRetry: (post, retry) => log.info(describeRetry(post, retry)),
    early,
    transport,
  })
  const lookUp = (): Promise<KeyLookUp | undefined> =>
    keyLookUp({ ...session, config: { ...config, delivery } })
  const fleet = await linkFleet(session, { posts, delivery }, lookUp)
  try {
    if (config.spool === undefined)
      return fleet === undefined
        ? await sender.send(posts)
        : await (await import('./send-with-fleet.ts')).sendWithFleet(posts, { sender, fleet, log })
    const { sendWithSpool } = await import('./send-with-spool.ts')
    return await sendWithSpool(posts, {
      sender,
      delivery,
      config: config.spool,
      fleet,
      lookUp,
      log,
      signal: io.signal,
      deadlineAtMs: io.startedAtMs + delivery.deadlineMs,
    })
  } finally {
    await fleet?.close()
  }
}

/** The fleet that the command belongs to. A relay that gets the events puts them in order itself. */
async function linkFleet(
  { io, config, log }: SendContext,
  { delivery }: Addressed,
  lookUp: () => Promise<KeyLookUp | undefined>,
): Promise<FleetLink | undefined> {
  const { fleet } = config
  if (fleet === undefined || delivery.relay !== undefined) return undefined
  const { createFleetLink } = await import('./fleet-link.ts') // few have one
  return createFleetLink({ fleet, delivery, hostname: io.hostname, log, lookUp })
}

/**
 * Says what happened to each post, and with `--confirm` whether PagerDuty shows it, which does not change the exit status.
 * @returns the exit status
 */
export async function reportDeliveries(session: Session, deliveries: readonly Delivery[]): Promise<number> {
  const { io, config, log } = session
  const own = logDeliveries(session, deliveries)
  const isAsked = config.confirm && !io.signal.aborted
  const confirm = isAsked ? await import('./confirm.ts') : undefined
  const confirmations = await confirm?.confirmDeliveries(session, deliveries)
  if (confirmations !== undefined) confirm?.logConfirmations(log, confirmations)
  printDeliveries(session, deliveries, { own, confirmations })
  return own
}

/** Keys of the posts, which may not be in the configuration. */
function keysIn(posts: readonly Post[]): Secret[] {
  return posts.flatMap(({ destination }) => (destination.routingKey ? [destination.routingKey] : []))
}
