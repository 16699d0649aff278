import { setTimeout as sleep } from 'node:timers/promises'
import { composeSpool, composeWorker, type ComposedWorker } from '../compose.ts'
import type { DeliveryConfig } from '../config/delivery.ts'
import type { SpoolConfig } from '../config/spool.ts'
import { formatMs } from '../core/duration.ts'
import type { Post } from '../delivery/request.ts'
import type { WorkerEvents } from '../spool/worker/types.ts'
import type { Delivery, Sender } from '../delivery/sender.ts'
import { noteDeployment } from './note-deployment.ts'
import { spoolKeysOf, toSpoolKey } from '../spool/key-names.ts'
import type { Progress, Spool, SpoolItem } from '../spool/spool.ts'
import { spoolExists } from '../spool/open.ts'
import { version } from '../version.ts'
import { describeRetry } from '../cli/report.ts'
import type { Log } from '../log.ts'
import type { KeyLookUp } from '../rest/remember-key.ts'

/** How long an attempt in flight may still take after the deadline. */
const GRACE_MS = 250
/** How often to check whether earlier events of an alert are settled. */
const POLL_MS = 100

/** What posts are sent with, and where those that fail are kept. */
export interface SpoolSending {
  readonly sender: Sender
  readonly delivery: DeliveryConfig
  readonly config: SpoolConfig
  /** Finds the key that is not configured; resolves to undefined if there is none to find. */
  readonly lookUp: () => Promise<KeyLookUp | undefined>
  readonly log: Log
  readonly signal: AbortSignal
  /** When to stop waiting, on the scale of `performance.now()`. */
  readonly deadlineAtMs: number
}

/**
 * Sends posts. A post that fails once is written to disk before any wait, so that it survives whatever happens to this
 * process, and is retried from there until the deadline. If the spool still holds an earlier event of the same alert, the
 * post is queued behind it. If the spool cannot take posts, they are
 * sent as if there were none, but never before such an earlier event.
 */
export async function sendWithSpool(posts: readonly Post[], sending: SpoolSending): Promise<Delivery[]> {
  const { config, log, sender } = sending
  const open = async (): Promise<Spool> =>
    await composeSpool({ ...config, onWarning: (message) => log.warn(message) })
  const before = spoolExists(config.directory) ? await open() : undefined
  const behind = posts.filter((post) => before !== undefined && isBehind(sending, before, post))
  const direct = posts.filter((post) => isAddressed(sending, post) && !behind.includes(post))
  const sent = await sender.send(direct, 1)
  const failed = sent.filter(({ outcome }) => outcome === 'undelivered')
  const untried = posts.filter((post) => !direct.includes(post))
  const toKeep = [
    ...failed,
    ...untried.map((post) => toUntried(post, isAddressed(sending, post) ? BEHIND : NO_KEY_YET)),
  ]
  const done = sent.filter(({ outcome }) => outcome !== 'undelivered')
  const spool = before ?? (toKeep.length > 0 ? await open() : undefined)
  if (spool === undefined) return done
  try {
    const kept = toKeep.length > 0 ? await keep(sending, spool, toKeep) : []
    const deliveries = inOrder(posts, [...done, ...kept])
    if (sending.delivery.relay === undefined) await noteDeployment(spool, deliveries, log)
    return deliveries
  } finally {
    await spool.close()
  }
}

function inOrder(posts: readonly Post[], deliveries: readonly Delivery[]): Delivery[] {
  return deliveries.toSorted((a, b) => posts.indexOf(a.post) - posts.indexOf(b.post))
}

/** Whether the key is known, to us or to the relay that the event goes to. */
function isAddressed({ delivery }: SpoolSending, { destination }: Post): boolean {
  return destination.routingKey !== undefined || delivery.relay !== undefined
}

function isBehind({ delivery }: SpoolSending, spool: Spool, { event, destination }: Post): boolean {
  const { dedup_key: dedupKey } = event.body
  if (event.kind !== 'alert' || dedupKey === undefined) return false
  const keys = spoolKeysOf(destination.routingKey, delivery.keys)
  return keys.some((key) => spool.hasPending(key, dedupKey))
}

const BEHIND = 'an earlier event of the same alert is still waiting there'
const NO_KEY_YET = 'the routing key could not be looked up'

function toUntried(post: Post, reason: string): Delivery {
  return { post, outcome: 'undelivered', attempts: 0, durationMs: 0, reason, retryInMs: 0 }
}

async function keep(sending: SpoolSending, spool: Spool, failed: readonly Delivery[]): Promise<Delivery[]> {
  const { log } = sending
  const { keys } = sending.delivery
  const items = failed.map(({ post }): SpoolItem => ({
    event: post.event,
    key: toSpoolKey(post.destination.routingKey, keys),
  }))
  const added = await spool.add(items)
  if (added.kind !== 'added') {
    const reason = added.kind === 'full' ? `the spool is full (${added.limit} events)` : added.reason
    log.warn(`${reason}; nothing is kept, so this is retried until the deadline`)
    return await sendUnkept(sending, spool, {
      failed,
      canSettle: added.kind === 'full' || added.isReadOnly !== true,
    })
  }
  const kept = failed.map((delivery, index) => ({ delivery, id: added.ids[index] ?? 0 }))
  // The first attempt counts, and the wait that the server asked for applies to the next one, whichever process makes it.
  await spool.queue.settle(
    kept.flatMap(({ delivery: { attempts, reason = '', retryInMs = 0 }, id }) =>
      attempts === 0 ? [] : [{ kind: 'postponed', id, reason, dueAtMs: spool.queue.now() + retryInMs }],
    ),
  )
  return await waitForKept(sending, spool, kept)
}

/**
 * Sends what the spool did not take. A post whose alert has earlier events there waits until they are settled: sent at
 * once, it would overtake them, and a resolve before its trigger leaves the alert open.
 * @param canSettle false if results cannot be written, so that earlier events would never be seen as settled
 */
async function sendUnkept(
  sending: SpoolSending,
  spool: Spool,
  { failed, canSettle }: { readonly failed: readonly Delivery[]; readonly canSettle: boolean },
): Promise<Delivery[]> {
  const given = failed.filter(({ retryInMs }) => retryInMs === undefined)
  const again = failed.filter(({ retryInMs }) => retryInMs !== undefined).map(({ post }) => post)
  const behind = canSettle ? again.filter((post) => isBehind(sending, spool, post)) : []
  const free = sending.sender.send(again.filter((post) => !behind.includes(post)))
  const still = behind.length === 0 ? [] : await settleBefore(sending, spool, behind)
  const next = sending.sender.send(behind.filter((post) => !still.includes(post)))
  return [...given, ...(await free), ...(await next), ...still.map((post) => toUntried(post, BEHIND))]
}

/**
 * Delivers the spool, or waits for the process that does, until no post has an earlier event of its alert there, the
 * deadline is over, or a signal comes.
 * @returns the posts that still have one
 */
async function settleBefore(
  sending: SpoolSending,
  spool: Spool,
  posts: readonly Post[],
): Promise<readonly Post[]> {
  const { signal, deadlineAtMs } = sending
  const running = await composeOwnWorker(sending, spool)
  let still = posts
  while (still.length > 0 && !signal.aborted && performance.now() < deadlineAtMs) {
    const pauseMs = Math.min(POLL_MS, Math.max(0, deadlineAtMs - performance.now()))
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
    still = still.filter((post) => isBehind(sending, spool, post))
  }
  await running.worker.stop(GRACE_MS)
  await running.transport.close()
  return still
}

async function composeOwnWorker(sending: SpoolSending, spool: Spool): Promise<ComposedWorker> {
  return await composeWorker({
    spool,
    delivery: sending.delivery,
    maxAgeMs: sending.config.maxAgeMs,
    lookUp: await sending.lookUp(),
    version,
    events: logRetries(sending.log),
  })
}

interface Kept {
  readonly delivery: Delivery
  readonly id: number
}

/** Delivers from the spool, or waits for the process that does, until the deadline or a signal. */
async function waitForKept(sending: SpoolSending, spool: Spool, kept: readonly Kept[]): Promise<Delivery[]> {
  const { log, signal } = sending
  const startedAtMs = performance.now()
  const leftMs = sending.deadlineAtMs - startedAtMs
  const soon = kept.filter(({ delivery: { retryInMs = Infinity } }) => retryInMs < leftMs && !signal.aborted)
  for (const { delivery } of soon) logFirstFailure(log, delivery, leftMs)
  const running = soon.length > 0 ? await composeOwnWorker(sending, spool) : undefined
  const ids = kept.map(({ id }) => id)
  const progress = await spool.waitFor(ids, running === undefined ? 0 : Math.max(0, leftMs), signal)
  await running?.worker.stop(GRACE_MS)
  await running?.transport.close()
  const after = running === undefined ? progress : await spool.waitFor(ids, 0, signal)
  return kept.map(({ delivery }, index) => {
    const { durationMs } = delivery
    const spentMs = running === undefined ? 0 : Math.round(performance.now() - startedAtMs)
    return toDelivery(delivery, after[index], durationMs + spentMs)
  })
}

/** As without a spool. A post that was not attempted yet has not failed. */
function logFirstFailure(
  log: Log,
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

function logRetries(log: Log): WorkerEvents {
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
