import { setTimeout as sleep } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import type { Outcome } from '../../src/core/outcome.ts'
import type { Clock } from '../../src/delivery/retry.ts'
import type { Worker, WorkerDeps } from '../../src/spool/worker/types.ts'
import { startWorker } from '../../src/spool/worker/worker.ts'
import type { Spool } from '../../src/spool/spool.ts'
import type { Transport } from '../../src/delivery/transport.ts'

/** The machine's clock, and waits shortened so that a minute of retries passes in a moment. */
export function quickClock(factor = 1): Clock {
  return {
    now: () => performance.now(),
    random: () => 0.5,
    sleep: (durationMs, signal) => sleep(durationMs / factor, undefined, { signal }).catch(() => undefined),
  }
}

/** What a stand-in for the network sees of an attempt. */
export interface Seen {
  /** `trigger a`, or a change event's summary. */
  readonly what: string
  readonly key: string
  /** All that was sent. */
  readonly body: string
  readonly atMs: number
  readonly mayBegin?: (() => boolean) | undefined
}

export interface WorkerSetup extends Partial<Omit<WorkerDeps, 'spool' | 'transport'>> {
  readonly spool: Spool
  /** The outcome of an attempt. Default: accepted. */
  readonly answer?: (seen: Seen, signal: AbortSignal) => Outcome | Promise<Outcome>
}

export interface WorkerRun {
  readonly worker: Worker
  /** Attempts in the order in which they began. */
  readonly seen: Seen[]
  /** What the worker told: `delivered`, `retry 503`, `dead refused`, `lock true`, `problem …`. */
  readonly told: string[]
}

export const ACCEPTED: Outcome = { kind: 'accepted', status: 202 }

/** A worker over a stand-in for the network, stopped after the test. */
export function startTestWorker(
  t: TestContext,
  { spool, answer = () => ACCEPTED, ...deps }: WorkerSetup,
): WorkerRun {
  const seen: Seen[] = []
  const told: string[] = []
  const transport: Pick<Transport, 'post'> = {
    post: async (request, _timeoutMs, signal) => {
      const body = request.body.toString()
      const json = JSON.parse(body) as Record<string, string> & { payload?: { summary: string } }
      const { event_action: action, dedup_key: dedupKey, routing_key: key = '' } = json
      const what = action === undefined ? (json.payload?.summary ?? '') : `${action} ${dedupKey}`
      const attempt = { what, key, body, atMs: spool.queue.now(), mayBegin: request.mayBegin }
      seen.push(attempt)
      return await answer(attempt, signal)
    },
  }
  const worker = startWorker({
    spool,
    transport: transport as Transport,
    clock: quickClock(),
    resolve: (key) => ({
      baseUrl: 'http://pagerduty.test',
      ...(key.kind === 'own' && { routingKey: key.key }),
    }),
    userAgent: 'test',
    timeoutMs: 1000,
    maxAgeMs: 24 * 3_600_000,
    ratePerMinute: Number.POSITIVE_INFINITY,
    secrets: [],
    events: {
      onDelivered: () => told.push('delivered'),
      onRetry: ({ httpStatus }) => told.push(`retry ${httpStatus}`),
      onDead: ({ cause }) => told.push(`dead ${cause}`),
      onLock: (isHeld) => told.push(`lock ${isHeld}`),
      onStoreProblem: (reason) => told.push(`problem ${reason}`),
    },
    ...deps,
  })
  t.after(() => worker.stop(0))
  return { worker, seen, told }
}
