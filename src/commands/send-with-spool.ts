import { setTimeout as sleep } from 'node:timers/promises'
import { composeSpool } from '../compose.ts'
import type { Post } from '../delivery/request.ts'
import type { Delivery } from '../delivery/sender.ts'
import { inOrder, toUntried } from './deliveries.ts'
import { recordDeployment } from './record-deployment.ts'
import { spoolKeysOf, toSpoolKey } from '../spool/key-names.ts'
import type { ListedSpool } from '../spool/listing.ts'
import type { Progress, SpoolItem } from '../spool/spool.ts'
import { creationProblem, spoolExists } from '../spool/open.ts'
import { describeRetry } from '../cli/report.ts'
import type { Log } from '../log.ts'
import { startOwnDelivery } from './own-delivery.ts'
import type { SpoolSending } from './spool-sending.ts'

/** How long an attempt in flight may still take after the deadline. */
const GRACE_MS = 250
/** How often to check whether earlier events of an alert are settled. */
const POLL_MS = 100

/**
 * Sends posts. A post that fails once is written to disk before any wait, so that it survives whatever happens to this
 * process, and is retried from there until the deadline. If the spool still holds an earlier event of the same alert, the
 * post is queued behind it. If the spool cannot take posts, they are sent as if there were none, but never before such an
 * earlier event. A spool that could not be created is reported even if it was not needed.
 */
export async function sendWithSpool(posts: readonly Post[], sending: SpoolSending): Promise<Delivery[]> {
  const { config, log, sender } = sending
  const open = async (): Promise<ListedSpool> =>
    await composeSpool({ ...config, onWarning: (message) => log.warn(message) })
  const before = spoolExists(config.directory) ? await open() : undefined
  const held = (await sending.fleet?.findHeld(posts)) ?? NONE_HELD
  const behind = posts.filter(
    (post) => held.has(post) || (before !== undefined && isBehind(sending, before, post)),
  )
  const direct = posts.filter((post) => isAddressed(sending, post) && !behind.includes(post))
  const sent = await sender.send(direct, 1)
  const failed = sent.filter(({ outcome }) => outcome === 'undelivered')
  const untried = posts.filter((post) => !direct.includes(post))
  const toKeep = [
    ...failed,
    ...untried.map((post) =>
      toUntried(post, isAddressed(sending, post) ? (held.get(post) ?? BEHIND) : NO_KEY_YET),
    ),
  ]
  const done = sent.filter(({ outcome }) => outcome !== 'undelivered')
  const spool = before ?? (toKeep.length > 0 ? await open() : undefined)
  if (spool === undefined) {
    const problem = creationProblem(config.directory)
    if (problem !== undefined)
      log.warn(`${problem.reason}; nothing could be kept if PagerDuty did not answer`)
    await sending.fleet?.note(done)
    return done
  }
  try {
    const kept = toKeep.length > 0 ? await keep(sending, spool, toKeep) : []
    const deliveries = inOrder(posts, [...done, ...kept])
    if (sending.delivery.relay === undefined) await recordDeployment(spool.deployments, deliveries, log)
    await sending.fleet?.note(deliveries)
    return deliveries
  } finally {
    await spool.close()
  }
}

const NONE_HELD: ReadonlyMap<Post, string> = new Map()

/** Whether the key is known, to us or to the relay that the event goes to. */
function isAddressed({ delivery }: SpoolSending, { destination }: Post): boolean {
  return destination.routingKey !== undefined || delivery.relay !== undefined
}

function isBehind({ delivery }: SpoolSending, spool: ListedSpool, { event, destination }: Post): boolean {
  const { dedup_key: dedupKey } = event.body
  if (event.kind !== 'alert' || dedupKey === undefined) return false
  const keys = spoolKeysOf(destination.routingKey, delivery.keys)
  return keys.some((key) => spool.hasPending(key, dedupKey))
}

const BEHIND = 'an earlier event of the same alert is still waiting there'
const NO_KEY_YET = 'the routing key could not be looked up'

async function keep(
  sending: SpoolSending,
  spool: ListedSpool,
  failed: readonly Delivery[],
): Promise<Delivery[]> {
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
  spool: ListedSpool,
  { failed, canSettle }: { readonly failed: readonly Delivery[]; readonly canSettle: boolean },
): Promise<Delivery[]> {
  const given = failed.filter(({ retryInMs }) => retryInMs === undefined)
  const again = failed.filter(({ retryInMs }) => retryInMs !== undefined).map(({ post }) => post)
  const behind = await findBehind(sending, spool, { posts: again, canSettle })
  const free = sending.sender.send(again.filter((post) => !behind.includes(post)))
  const still = behind.length === 0 ? [] : await settleBefore(sending, spool, { posts: behind, canSettle })
  const next = sending.sender.send(behind.filter((post) => !still.includes(post)))
  return [...given, ...(await free), ...(await next), ...still.map((post) => toUntried(post, BEHIND))]
}

/** Posts whose alerts have earlier events here, if they can be settled, or in the fleet. */
async function findBehind(
  sending: SpoolSending,
  spool: ListedSpool,
  { posts, canSettle }: { readonly posts: readonly Post[]; readonly canSettle: boolean },
): Promise<Post[]> {
  const held = (await sending.fleet?.findHeld(posts)) ?? NONE_HELD
  return posts.filter((post) => held.has(post) || (canSettle && isBehind(sending, spool, post)))
}

/**
 * Delivers the spool, or waits for the process that does, until no post has an earlier event of its alert there, the
 * deadline is over, or a signal comes.
 * @returns the posts that still have one
 */
async function settleBefore(
  sending: SpoolSending,
  spool: ListedSpool,
  { posts, canSettle }: { readonly posts: readonly Post[]; readonly canSettle: boolean },
): Promise<readonly Post[]> {
  const { signal, deadlineAtMs } = sending
  const running = await startOwnDelivery(sending, spool)
  let still = posts
  while (still.length > 0 && !signal.aborted && performance.now() < deadlineAtMs) {
    const pauseMs = Math.min(POLL_MS, Math.max(0, deadlineAtMs - performance.now()))
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
    still = await findBehind(sending, spool, { posts: still, canSettle })
  }
  await running.stop(GRACE_MS)
  return still
}

interface Kept {
  readonly delivery: Delivery
  readonly id: number
}

/** Delivers from the spool, or waits for the process that does, until the deadline or a signal. */
async function waitForKept(
  sending: SpoolSending,
  spool: ListedSpool,
  kept: readonly Kept[],
): Promise<Delivery[]> {
  const { log, signal } = sending
  const startedAtMs = performance.now()
  const leftMs = sending.deadlineAtMs - startedAtMs
  const soon = kept.filter(({ delivery: { retryInMs = Infinity } }) => retryInMs < leftMs && !signal.aborted)
  for (const { delivery } of soon) logFirstFailure(log, delivery, leftMs)
  const ids = kept.map(({ id }) => id)
  // A fleet gets events even if this process cannot wait for them: its relays deliver them.
  const isNeeded = soon.length > 0 || (sending.fleet !== undefined && !signal.aborted)
  const running = isNeeded ? await startOwnDelivery(sending, spool) : undefined
  const waitMs = soon.length > 0 ? Math.max(0, leftMs) : 0
  const progress = await (running ?? spool).waitFor(ids, waitMs, signal)
  await running?.stop(GRACE_MS)
  const isFinal = running === undefined || sending.fleet !== undefined
  const after = isFinal ? progress : await spool.waitFor(ids, 0, signal)
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
