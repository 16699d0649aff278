import { composeSpool, composeTransport, composeWorker } from '../compose.ts'
import type { SpoolConfig } from '../config/spool.ts'
import { formatMs } from '../core/duration.ts'
import { Failure } from '../core/failure.ts'
import { oneLine } from '../core/mask-secrets.ts'
import { shownDedupKey } from '../spool/describe-entry.ts'
import type { Spool, SpoolCounts, SpoolEntry } from '../spool/spool.ts'
import { version } from '../version.ts'
import { relayHeaders, requireAccess } from './relay-headers.ts'
import { keyLookUp, type RestContext } from './rest-access.ts'

/** An event that was given up or refused, in words. */
export interface DeadEvent {
  readonly what: string
  readonly reason: string
}

/** What a source holds at one moment. */
export interface Backlog {
  readonly counts: SpoolCounts
  /** The first of the dead ones. */
  readonly dead: readonly DeadEvent[]
  /** Files of damaged spools, whose events may or may not have been delivered. */
  readonly setAside: readonly string[]
  /** Why events are not delivered, or not recorded as delivered. */
  readonly note?: string
}

/** Something that holds events: a relay or a spool. */
export interface FlushSource {
  readonly name: string
  /** What it holds, or why that is not known now. */
  read(): Promise<Backlog | string>
  close(): Promise<void>
}

const NOT_WRITTEN = 'deliveries could not be recorded, so they will be sent again'
/** How many dead events are named. */
export const MAX_NAMED = 100
/** How long an attempt in flight may still take after the deadline. */
const GRACE_MS = 1000

/** A spool, which this process delivers as long as no other does. */
export async function createSpoolSource(context: RestContext, config: SpoolConfig): Promise<FlushSource> {
  const { log } = context
  const spool = await composeSpool({ ...config, onWarning: (message) => log.warn(message) })
  const { missed } = await spool.deadlines.expire()
  for (const { summary } of missed) log.warn(`the failure alert is triggered: ${summary}`)
  const problem: { reason: string | undefined } = { reason: undefined }
  const retries = new Map<number, { readonly atMs: number; readonly reason: string }>()
  const { worker, transport } = await composeWorker({
    spool,
    delivery: context.config.delivery,
    maxAgeMs: config.maxAgeMs,
    lookUp: await keyLookUp(context),
    version,
    events: {
      onDelivered: ({ event }) => retries.delete(event.id),
      onRetry: ({ event, reason, delayMs }) => {
        retries.set(event.id, { atMs: performance.now() + delayMs, reason })
        log.info(`an attempt failed: ${reason}`)
      },
      onDead: ({ event }) => retries.delete(event.id),
      onLock: (isHeld) =>
        log.debug(isHeld ? 'this process delivers the spool' : 'another process delivers the spool'),
      onStoreProblem: (reason) => {
        problem.reason = reason
      },
    },
  })
  return {
    name: 'spool',
    read: async () => {
      const backlog = readBacklog(spool)
      if (typeof backlog === 'string') return backlog
      const reason = problem.reason ?? describeNext([...retries.values()])
      // The next process delivers again what is not recorded as delivered.
      const note = spool.queue.unwritten() > 0 ? `${NOT_WRITTEN}: ${reason ?? ''}` : reason
      return note === undefined || (backlog.counts.pending === 0 && spool.queue.unwritten() === 0)
        ? backlog
        : { ...backlog, note }
    },
    close: async () => {
      await worker.stop(GRACE_MS)
      await transport.close()
      await spool.close()
    },
  }
}

/** When the next retry is due, and why it is needed. */
function describeNext(
  retries: readonly { readonly atMs: number; readonly reason: string }[],
): string | undefined {
  const later = retries.filter(({ atMs }) => atMs > performance.now()).toSorted((a, b) => a.atMs - b.atMs)
  const [next] = later
  if (next === undefined) return undefined
  const said = /^\d{3}: /.test(next.reason) ? `PagerDuty answered ${next.reason}` : next.reason
  return `next attempt in ${formatMs(next.atMs - performance.now())}: ${said}`
}

function readBacklog(spool: Spool): Backlog | string {
  try {
    const dead = spool.list('dead', MAX_NAMED).map(describeDead)
    return { counts: spool.counts(), dead, setAside: spool.setAside() }
  } catch (error) {
    if (error instanceof Failure) return error.message
    throw error
  }
}

/** A dead event in words. */
export function describeDead(entry: Omit<SpoolEntry, 'status'>): DeadEvent {
  const { kind, action, reason = '' } = entry
  const what = kind === 'change' ? 'change event' : `${action} of ${shownDedupKey(entry) ?? 'an alert'}`
  return { what: oneLine(what), reason }
}

/** The part of a relay's list that is read here; see `GET /events`. */
interface RelayList {
  readonly counts: SpoolCounts
  readonly events: readonly {
    readonly kind: string
    readonly dedup_key?: string | null
    readonly reason?: string | null
  }[]
  readonly set_aside?: readonly string[]
}

/**
 * A relay, queried over HTTP.
 * @param all whether events that other relays of its fleet accepted count, too
 */
export function createRelaySource({ io, config }: RestContext, all: boolean): FlushSource {
  const { eventsUrl, timeoutMs } = config.delivery
  const transport = composeTransport(config.delivery)
  const request = {
    method: 'GET',
    url: `${eventsUrl}/events?status=dead&scope=${all ? 'all' : 'own'}`,
    headers: relayHeaders(config.delivery),
    maxAnswerBytes: 16 << 20,
  } as const
  return {
    name: 'relay',
    read: async () => {
      const exchange = await transport.exchange(request, timeoutMs, io.signal)
      if (exchange.kind === 'failed') return `the relay does not answer: ${exchange.outcome.reason}`
      const { status, body } = exchange.answer
      requireAccess(status)
      return status === 200 ? readList(body) : `the relay answers ${status}`
    },
    close: () => transport.close(),
  }
}

function readList(body: string): Backlog | string {
  try {
    const { counts, events, set_aside: setAside = [] } = JSON.parse(body) as RelayList
    const { pending, delivered, dead } = counts
    const named = events.slice(0, MAX_NAMED).map(({ kind, dedup_key: dedupKey, reason }) => ({
      what: oneLine(kind === 'change' ? 'change event' : `event of ${dedupKey ?? 'an alert'}`),
      reason: oneLine(reason ?? ''),
    }))
    return { counts: { pending, delivered, dead }, dead: named, setAside: setAside.map(oneLine) }
  } catch {
    return 'the relay’s answer is not a list of events; check PAGERDUTY_RELAY_URL'
  }
}
