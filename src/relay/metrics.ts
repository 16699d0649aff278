import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Event } from '../core/event.ts'
import { meaningOf } from '../core/outcome.ts'
import type { DeploymentLog } from '../spool/deployment-log.ts'
import type { DeadCause, SpoolCounts } from '../spool/spool.ts'
import { measureDeployments } from './deployment-metrics.ts'

/** What the relay counts, and its text for Prometheus. */
export interface Metrics {
  /** Events taken in, of those that were valid. */
  readonly accepted: (kind: Event['kind']) => void
  /** A request was answered. @param route the route's path, never what a caller made up */
  readonly answered: (route: string, method: string, status: number) => void
  /** PagerDuty answered with this status, or 502 or 504 stands for no answer. @param durationMs from acceptance on */
  readonly settled: (kind: Event['kind'], status: number, durationMs: number) => void
  readonly retried: (kind: Event['kind']) => void
  readonly dead: (kind: Event['kind'], cause: DeadCause) => void
  /** Dead events were removed for newer ones. */
  readonly crowdedOut: (count: number) => void
  readonly contentType: string
  /** The exposition text. */
  readonly expose: () => Promise<string>
}

/** What is measured of a spool at the time that it is asked for. */
export interface SpoolGauges {
  readonly counts: () => SpoolCounts
  readonly oldestPendingAgeMs: () => number | undefined
  readonly isDelivering: () => boolean
}

const KINDS = ['alert', 'change'] as const
const PREFIX = 'pagerduty_alert_'
/** From a warm connection's answer to a day in the spool, in seconds. */
const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 86_400]

/** Metrics of one relay, in a registry of their own. */
export function createMetrics(deployments: DeploymentLog, spool?: SpoolGauges): Metrics {
  const registry = new Registry()
  const counter = (name: string, help: string, ...labelNames: string[]): Tally =>
    createTally({ name: `${PREFIX}${name}`, help, labelNames, registers: [registry] })
  const accepted = counter(
    'events_accepted_total',
    'Events taken in, once for each key that they go to.',
    'kind',
  )
  const requests = counter('http_requests_total', 'Requests answered.', 'route', 'method', 'status')
  const delivered = counter('events_delivered_total', 'Events that PagerDuty accepted.', 'kind')
  const refused = counter('events_refused_total', 'Events that PagerDuty refused for good.', 'kind')
  const failed = counter('events_failed_total', 'Events that their caller was told to send again.', 'kind')
  const retried = counter('events_retried_total', 'Attempts that are to be repeated.', 'kind')
  const dead = counter('events_dead_total', 'Events parked as dead.', 'kind', 'cause')
  const crowdedOut = counter(
    'events_dead_crowded_out_total',
    'Dead events that were removed, the oldest first, to make room for others.',
  )
  const latency = new Histogram({
    name: `${PREFIX}delivery_duration_seconds`,
    help: 'Time from the acceptance of an event until PagerDuty accepted it.',
    labelNames: ['kind'],
    buckets: BUCKETS,
    registers: [registry],
  })
  // A rate can be taken only of a series that is there before its first event.
  for (const kind of KINDS) for (const each of [accepted, delivered, refused, failed, retried]) each(0, kind)
  if (spool !== undefined) crowdedOut(0)
  if (spool !== undefined) measureSpool(spool, registry)
  measureDeployments(deployments, registry)
  return {
    accepted: (kind) => accepted(1, kind),
    answered: (route, method, status) => requests(1, route, method, String(status)),
    settled: (kind, status, durationMs) => {
      const outcome = meaningOf(status).kind
      if (outcome === 'accepted') {
        delivered(1, kind)
        latency.observe({ kind }, durationMs / 1000)
      } else if (outcome === 'refused') refused(1, kind)
      else failed(1, kind)
    },
    retried: (kind) => retried(1, kind),
    dead: (kind, cause) => dead(1, kind, cause),
    crowdedOut: (count) => crowdedOut(count),
    contentType: registry.contentType,
    expose: () => registry.metrics(),
  }
}

function measureSpool({ counts, oldestPendingAgeMs, isDelivering }: SpoolGauges, registry: Registry): void {
  const gauge = (
    name: string,
    help: string,
    collect: (gauge: Gauge) => void,
    ...labelNames: string[]
  ): void => {
    const created: Gauge = new Gauge({
      name: `${PREFIX}${name}`,
      help,
      labelNames,
      registers: [registry],
      collect: () => collect(created),
    })
  }
  gauge('spool_events', 'Events in the spool.', (it) => setAll(it, counts()), 'status')
  gauge(
    'spool_oldest_pending_age_seconds',
    'Age of the oldest event that is not delivered; 0 where all are.',
    (it) => it.set((oldestPendingAgeMs() ?? 0) / 1000),
  )
  gauge('spool_delivering', '1 where this process delivers the spool, 0 where another does.', (it) =>
    it.set(isDelivering() ? 1 : 0),
  )
}

function setAll(gauge: Gauge, counts: SpoolCounts): void {
  for (const [status, count] of Object.entries(counts)) gauge.set({ status }, count)
}

interface TallyOptions<Label extends string> {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly Label[]
  readonly registers: Registry[]
}

/** Counts one thing, by the values of its labels in their order. */
type Tally = (count: number, ...values: readonly string[]) => void

/**
 * A counter that adds up by itself and tells its registry when that is read: to prom-client's own each count is an object
 * of labels, which it checks, sorts and joins, several of them for every event.
 */
export function createTally<Label extends string>({ labelNames, ...options }: TallyOptions<Label>): Tally {
  const series = new Map<string, { readonly values: readonly string[]; count: number }>()
  const counter: Counter<Label> = new Counter({
    ...options,
    labelNames,
    collect: () => {
      counter.reset()
      for (const { values, count } of series.values()) counter.labels(...values).inc(count)
    },
  })
  return (count, ...values) => {
    const name = values.join(' ')
    const known = series.get(name)
    if (known === undefined) series.set(name, { values, count })
    else known.count += count
  }
}
