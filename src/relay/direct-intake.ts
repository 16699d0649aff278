import { deploymentOf } from '../core/deployment.ts'
import type { Event } from '../core/event.ts'
import { isObject } from '../core/json.ts'
import { createMask } from '../core/mask-event.ts'
import { maskSecrets } from '../core/mask-secrets.ts'
import { classifyAnswer, meaningOf, type Answer } from '../core/outcome.ts'
import type { Secret } from '../core/secret.ts'
import { createRequest } from '../delivery/request.ts'
import type { SpoolItem } from '../spool/spool.ts'
import type { Resolve } from '../spool/worker/destinations.ts'
import type { Transport } from '../delivery/transport.ts'
import type { Intake } from './context.ts'
import type { DeploymentRing, SentItem } from './deployment-ring.ts'
import { RELAY_LIMITS } from './limits.ts'
import type { Metrics } from './metrics.ts'
import { statusOf, successBody, type EventResult } from './result.ts'

export interface DirectDeps {
  readonly transport: Transport
  readonly resolve: Resolve
  readonly userAgent: string
  /** How long one event may take. */
  readonly timeoutMs: number
  /** Masked in everything that a server says. */
  readonly secrets: readonly Secret[]
  readonly metrics: Metrics
  readonly deployments: DeploymentRing
  /** Called with each event that PagerDuty accepted. */
  readonly onAccepted: (event: Event) => void
}

/** Without a spool: every event goes to PagerDuty while its caller waits, and PagerDuty's answer is the caller's. */
export function createDirectIntake(deps: DirectDeps): Intake {
  const breakOff = new AbortController()
  const inProgress = new Set<Promise<unknown>>()
  let inFlight = 0
  return {
    take: async (items) => {
      if (inFlight + items.length > RELAY_LIMITS.inFlight) return items.map(turnAway)
      inFlight += items.length
      for (const { event } of items) deps.metrics.accepted(event.kind)
      const forwarding = Promise.all(items.map((item) => forward(item, deps, breakOff.signal)))
      inProgress.add(forwarding)
      try {
        const results = await forwarding
        if (items.some(isDeployment)) {
          deps.deployments.record(await toSent(items, results, deps.resolve), Date.now())
        }
        for (const result of results) if (statusOf(result) <= 299) deps.onAccepted(result.event)
        return results
      } finally {
        inProgress.delete(forwarding)
        inFlight -= items.length
      }
    },
    close: async (graceMs) => {
      const timer = setTimeout(() => breakOff.abort(), graceMs)
      await Promise.allSettled(inProgress)
      clearTimeout(timer)
      await deps.transport.close()
    },
  }
}

/** Whether an event reports a deployment; most events do not, and masking them for the list of deployments is not cheap. */
function isDeployment({ event }: SpoolItem): boolean {
  return deploymentOf(event, 0) !== undefined
}

/** A key that was looked up is known only now, so the caller's text may still have it. */
async function toSent(
  items: readonly SpoolItem[],
  results: readonly EventResult[],
  resolve: Resolve,
): Promise<SentItem[]> {
  return await Promise.all(
    items.map(async ({ event, key }, index) => {
      const result = results[index]
      const isTold = result !== undefined && meaningOf(statusOf(result)).kind === 'accepted'
      const resolution = await resolve(key)
      const secrets = 'missing' in resolution || !resolution.routingKey ? [] : [resolution.routingKey]
      return { event: createMask(secrets)(event), key, told: isTold ? 'delivered' : 'dead' } as const
    }),
  )
}

async function forward(
  { event, key }: SpoolItem,
  { resolve, userAgent, secrets, metrics, transport, timeoutMs }: DirectDeps,
  signal: AbortSignal,
): Promise<EventResult> {
  const startMs = performance.now()
  const resolution = await resolve(key)
  if ('missing' in resolution) {
    metrics.settled(event.kind, 502, performance.now() - startMs)
    return { kind: 'undelivered', event, status: 502, reason: resolution.missing }
  }
  const request = createRequest(event, resolution, userAgent)
  const exchange = await transport.exchange(request, timeoutMs, signal)
  const durationMs = performance.now() - startMs
  const result: EventResult =
    exchange.kind === 'answered'
      ? resultOf(event, exchange.answer, [...secrets, ...request.secrets])
      : {
          kind: 'undelivered',
          event,
          status: exchange.isOverdue ? 504 : 502,
          reason: maskSecrets(exchange.outcome.reason, secrets),
        }
  metrics.settled(event.kind, statusOf(result), durationMs)
  return result
}

/** The caller gets PagerDuty's answer, with secrets masked, and never a redirect, which its client might follow. */
function resultOf(event: Event, answer: Answer, secrets: readonly Secret[]): EventResult {
  const { status, headers, body } = answer
  const { kind, isOurs } = meaningOf(status)
  const isAccepted = kind === 'accepted'
  if (isAccepted && body === JSON.stringify(successBody(event))) return { kind: 'answered', event, answer }
  // The body is cut off or not PagerDuty's; the status alone says that the event was accepted.
  if (isAccepted && !isJsonObject(body)) return { kind: 'delivered', event, status: 202 }
  if (isOurs === true) {
    const outcome = classifyAnswer(answer, 0, secrets)
    return { kind: 'undelivered', event, status: 502, reason: 'reason' in outcome ? outcome.reason : '' }
  }
  return { kind: 'answered', event, answer: { status, headers, body: maskSecrets(body, secrets) } }
}

function isJsonObject(text: string): boolean {
  try {
    return isObject(JSON.parse(text))
  } catch {
    return false
  }
}

function turnAway({ event }: SpoolItem): EventResult {
  const reason = `${RELAY_LIMITS.inFlight} events are already in flight; with PAGERDUTY_SPOOL set, the relay queues the rest`
  return { kind: 'turned-away', event, status: 503, reason, retryAfterSeconds: 1 }
}
