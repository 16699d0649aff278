import { setTimeout as sleep } from 'node:timers/promises'
import { createSecret } from '../src/core/secret.ts'
import { startWorker } from '../src/spool/worker/worker.ts'
import { openSpool } from '../src/spool/open.ts'
import type { ListedSpool } from '../src/spool/listing.ts'
import type { Spool, SpoolItem } from '../src/spool/spool.ts'
import type { Transport } from '../src/delivery/transport.ts'

const BATCH = 1000

/** Opens a spool without a bound. */
export async function openBenchSpool(directory: string): Promise<ListedSpool> {
  const onWarning = (message: string): void => void process.stderr.write(`${message}\n`)
  return await openSpool({ directory, limit: Number.MAX_SAFE_INTEGER, onWarning })
}

/** An alert of its own, with a caller's key of that number. */
export function numberedItem(number: number, keyNumber = 0): SpoolItem {
  const payload = { summary: 'A deployment failed', source: 'bench', severity: 'error' } as const
  const key = createSecret(`b${String(keyNumber).padStart(31, '0')}`)
  return {
    key: { kind: 'own', key },
    event: { kind: 'alert', body: { event_action: 'trigger', dedup_key: `bench/${number}`, payload } },
  }
}

/** Adds items, a thousand in each transaction. @throws if the spool does not accept them */
export async function addAll(spool: Spool, items: readonly SpoolItem[]): Promise<void> {
  for (let from = 0; from < items.length; from += BATCH) {
    const result = await spool.add(items.slice(from, from + BATCH))
    if (result.kind !== 'added') throw new Error(`the spool did not accept the events: ${result.kind}`)
  }
}

export interface DeliverAllOptions {
  readonly spool: Spool
  readonly transport: Transport
  readonly baseUrl: string
  /** Attempts per minute and key; Infinity for none. */
  readonly ratePerMinute: number
}

/** Delivers everything that is pending. Returns how long that took, in milliseconds. @throws when an event fails */
export async function deliverAll(options: DeliverAllOptions): Promise<number> {
  const { spool, transport, baseUrl, ratePerMinute } = options
  let left = spool.counts().pending
  let problem: string | undefined
  const finished = Promise.withResolvers<void>()
  const startedAtMs = performance.now()
  const fail = (reason: string | undefined): void => {
    problem ??= reason
    finished.resolve()
  }
  const worker = startWorker({
    spool,
    transport,
    clock: {
      now: () => performance.now(),
      random: Math.random,
      sleep: (durationMs, signal) => sleep(durationMs, undefined, { signal }).catch(() => undefined),
    },
    resolve: (key) => ({ baseUrl, ...(key.kind === 'own' && { routingKey: key.key }) }),
    userAgent: 'bench',
    timeoutMs: 10_000,
    maxAgeMs: 3_600_000,
    ratePerMinute,
    secrets: [],
    events: {
      onDelivered: () => {
        left -= 1
        if (left === 0) finished.resolve()
      },
      onRetry: ({ reason }) => fail(reason),
      onDead: ({ reason }) => fail(reason),
      onLock: () => undefined,
      onStoreProblem: fail,
    },
  })
  await finished.promise
  const elapsedMs = performance.now() - startedAtMs
  await worker.stop(0)
  await transport.close()
  if (problem !== undefined) throw new Error(problem)
  return elapsedMs
}

/** A transport that accepts everything at once, so that only the worker is measured. */
export const INSTANT: Transport = {
  post: async () => ({ kind: 'accepted', status: 202 }),
  exchange: async () => ({
    kind: 'failed',
    outcome: { kind: 'unreachable', reason: 'not used here' },
    isOverdue: false,
  }),
  close: async () => undefined,
}
