import { composeSpool, composeWorker } from '../compose.ts'
import type { SpoolConfig } from '../config/spool.ts'
import { formatMs } from '../core/duration.ts'
import type { Post } from '../delivery/address.ts'
import type { WorkerEvents } from '../spool/worker/types.ts'
import type { Delivery, Sender } from '../delivery/sender.ts'
import { spoolKeysOf, toSpoolKey } from '../spool/key-names.ts'
import type { Progress, Spool, SpoolItem } from '../spool/spool.ts'
import { spoolExists } from '../spool/open.ts'
import { version } from '../version.ts'
import { describeRetry } from '../cli/report.ts'
import { keyLookUp } from './rest-access.ts'
import type { Session } from '../cli/session.ts'

/** How long an attempt in flight may take when the time of the invocation is over. */
const GRACE_MS = 250

/**
 * Sends posts; what fails once is on the disk before anything is waited for, so that nothing that happens to this process
 * can lose it, and is retried from there until the deadline. An event of an alert that the spool still holds another
 * event of is put behind it. Where the spool takes nothing, posts are sent as if there were none.
 */
export async function deliverOrKeep(
  session: Session,
  config: SpoolConfig,
  posts: readonly Post[],
  sender: Sender,
): Promise<Delivery[]> {
  const { log } = session
  const open = async (): Promise<Spool> =>
    await composeSpool({ ...config, onWarning: (message) => log.warn(message) })
  const before = spoolExists(config.directory) ? await open() : undefined
  const behind = posts.filter((post) => before !== undefined && isBehind(session, before, post))
  const direct = posts.filter((post) => isAddressed(session, post) && !behind.includes(post))
  const sent = await sender.send(direct, 1)
  const failed = sent.filter(({ outcome }) => outcome === 'undelivered')
  const untried = posts.filter((post) => !direct.includes(post))
  const toKeep = [
    ...failed,
    ...untried.map((post) => toUntried(post, isAddressed(session, post) ? BEHIND : NO_KEY_YET)),
  ]
  const done = sent.filter(({ outcome }) => outcome !== 'undelivered')
  if (toKeep.length === 0) {
    await before?.close()
    return done
  }
  const spool = before ?? (await open())
  try {
    return inOrder(posts, [...done, ...(await keep({ session, config, spool, sender }, toKeep))])
  } finally {
    await spool.close()
  }
}

function inOrder(posts: readonly Post[], deliveries: readonly Delivery[]): Delivery[] {
  return deliveries.toSorted((a, b) => posts.indexOf(a.post) - posts.indexOf(b.post))
}

/** Whether the key is known, to us or to the relay that the event goes to. */
function isAddressed({ config }: Session, { destination }: Post): boolean {
  return destination.routingKey !== undefined || config.delivery.relay !== undefined
}

function isBehind({ config }: Session, spool: Spool, { event, destination }: Post): boolean {
  const { dedup_key: dedupKey } = event.body
  if (event.kind !== 'alert' || dedupKey === undefined) return false
  const keys = spoolKeysOf(destination.routingKey, config.delivery.keys)
  return keys.some((key) => spool.hasPending(key, dedupKey))
}

const BEHIND = 'an earlier event of the same alert is still waiting there'
const NO_KEY_YET = 'the routing key could not be looked up'

function toUntried(post: Post, reason: string): Delivery {
  return { post, outcome: 'undelivered', attempts: 0, durationMs: 0, reason, retryInMs: 0 }
}

interface KeepParts {
  readonly session: Session
  readonly config: SpoolConfig
  readonly spool: Spool
  readonly sender: Sender
}

async function keep(parts: KeepParts, failed: readonly Delivery[]): Promise<Delivery[]> {
  const { session, spool, sender } = parts
  const { keys } = session.config.delivery
  const items = failed.map(({ post }): SpoolItem => ({
    event: post.event,
    key: toSpoolKey(post.destination.routingKey, keys),
  }))
  const added = await spool.add(items)
  if (added.kind !== 'added') {
    const reason = added.kind === 'full' ? `the spool is full (${added.limit} events)` : added.reason
    session.log.warn(`${reason}; nothing is kept, so this is retried until the deadline`)
    const again = failed.filter(({ retryInMs }) => retryInMs !== undefined).map(({ post }) => post)
    return [...failed.filter(({ retryInMs }) => retryInMs === undefined), ...(await sender.send(again))]
  }
  const kept = failed.map((delivery, index) => ({ delivery, id: added.ids[index] ?? 0 }))
  // The first attempt counts, and what the server asked for then is honoured by whoever makes the next one.
  await spool.queue.settle(
    kept.flatMap(({ delivery: { attempts, reason = '', retryInMs = 0 }, id }) =>
      attempts === 0 ? [] : [{ kind: 'postponed', id, reason, dueAtMs: spool.queue.now() + retryInMs }],
    ),
  )
  return await waitForKept(parts, kept)
}

interface Kept {
  readonly delivery: Delivery
  readonly id: number
}

/** Delivers from the spool, or waits for the process that does, until the deadline or a signal. */
async function waitForKept(
  { session, config, spool }: KeepParts,
  kept: readonly Kept[],
): Promise<Delivery[]> {
  const { io, config: settings } = session
  const startedAtMs = performance.now()
  const leftMs = io.startedAtMs + settings.delivery.deadlineMs - startedAtMs
  const soon = kept.filter(
    ({ delivery: { retryInMs = Infinity } }) => retryInMs < leftMs && !io.signal.aborted,
  )
  for (const { delivery } of soon) sayFirstFailure(session, delivery, leftMs)
  const running =
    soon.length > 0
      ? await composeWorker({
          spool,
          delivery: settings.delivery,
          maxAgeMs: config.maxAgeMs,
          lookUp: await keyLookUp(session),
          version,
          events: sayRetries(session),
        })
      : undefined
  const ids = kept.map(({ id }) => id)
  const progress = await spool.waitFor(ids, running === undefined ? 0 : Math.max(0, leftMs), io.signal)
  await running?.worker.stop(GRACE_MS)
  await running?.transport.close()
  const after = running === undefined ? progress : await spool.waitFor(ids, 0, io.signal)
  return kept.map(({ delivery }, index) => {
    const { durationMs } = delivery
    const spentMs = running === undefined ? 0 : Math.round(performance.now() - startedAtMs)
    return toDelivery(delivery, after[index], durationMs + spentMs)
  })
}

/** As it is said without a spool. What was not attempted yet has not failed. */
function sayFirstFailure(
  { log }: Session,
  { post, attempts, reason = '', retryInMs = 0 }: Delivery,
  leftMs: number,
): void {
  if (attempts === 0) return
  const retry = { attempt: attempts, reason, delayMs: retryInMs, leftMs: leftMs - retryInMs }
  log.info(describeRetry(post, retry))
}

function toDelivery(delivery: Delivery, progress: Progress | undefined, durationMs: number): Delivery {
  const { status = 'pending', attempts = 0, httpStatus, reason } = progress ?? {}
  const outcome = ({ delivered: 'accepted', dead: 'refused', pending: 'queued' } as const)[status]
  return {
    post: delivery.post,
    outcome,
    attempts,
    durationMs,
    ...(httpStatus !== undefined && { status: httpStatus }),
    ...(outcome === 'queued' && {
      reason: reason ?? delivery.reason ?? BEHIND,
    }),
    ...(outcome === 'refused' && reason !== undefined && { reason }),
  }
}

function sayRetries({ log }: Session): WorkerEvents {
  return {
    onDelivered: () => undefined,
    onRetry: ({ attempts, reason, delayMs }) =>
      log.info(`attempt ${attempts} from the spool failed: ${reason}; next try in ${formatMs(delayMs)}`),
    onDead: ({ reason }) => log.error(`an event in the spool was refused: ${reason}`),
    onLock: () => undefined,
    onStoreProblem: (reason) => {
      if (reason !== undefined) log.warn(reason)
    },
  }
}
