import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Event } from '../core/event.ts'
import { meaningOf } from '../core/outcome.ts'
import type { FleetFigures } from '../fleet/relay-fleet.ts'
import type { Deadlines } from '../spool/deadlines.ts'
import type { DeploymentStore } from '../spool/deployment-log.ts'
import type { DeadCause, SpoolCounts } from '../spool/spool.ts'
import { measureDeadlines, measureDeployments } from './deployment-metrics.ts'

/** The relay's counters, and their text for Prometheus. */
export interface Metrics {
  /** A valid event was accepted. */
  readonly accepted: (kind: Event['kind']) => void
  /** A request was answered. @param route the route's path, never the caller's own text */
  readonly answered: (route: string, method: string, status: number) => void
  /** PagerDuty answered with this status, or did not answer (502, 504). @param durationMs since the event was accepted */
  readonly settled: (kind: Event['kind'], status: number, durationMs: number) => void
  readonly retried: (kind: Event['kind']) => void
  readonly dead: (kind: Event['kind'], cause: DeadCause) => void
  /** A deployment's time was over, and its failure alert was triggered. */
  readonly missed: () => void
  /** Dead events were removed to make room for newer ones. */
  readonly crowdedOut: (count: number) => void
  readonly contentType: string
  /** The exposition text. */
  readonly expose: () => Promise<string>
}

/** What is measured of a spool on each scrape. */
export interface SpoolGauges {
  readonly counts: () => SpoolCounts | Promise<SpoolCounts>
  readonly oldestPendingAgeMs: () => number | undefined | Promise<number | undefined>
  readonly isDelivering: () => boolean
}

const KINDS = ['alert', 'change'] as const
const PREFIX = 'pagerduty_alert_'
/** From an answer on an open connection to a day in the spool, in seconds. */
const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 86_400]

/** Metrics of one relay, in a registry of their own. */
export function createMetrics(
  { deployments, deadlines }: { readonly deployments: DeploymentStore; readonly deadlines: Deadlines },
  spool?: SpoolGauges,
  fleet?: FleetGauges,
): Metrics {
  const registry = new Registry()
  const counter = (name: string, help: string, ...labelNames: string[]): Tally =>
    createTally({ name: `${PREFIX}${name}`, help, labelNames, registers: [registry] })
  const accepted = counter(
    'events_accepted_total',
    'Events accepted, once for each key that they are sent to.',
    'kind',
  )
  const requests = counter('http_requests_total', 'Requests answered.', 'route', 'method', 'status')
  const delivered = counter('events_delivered_total', 'Events that PagerDuty accepted.', 'kind')
  const refused = counter('events_refused_total', 'Events that PagerDuty refused for good.', 'kind')
  const failed = counter('events_failed_total', 'Events whose caller was asked to send them again.', 'kind')
  const retried = counter('events_retried_total', 'Attempts that failed and are retried.', 'kind')
  const dead = counter('events_dead_total', 'Events parked as dead.', 'kind', 'cause')
  const crowdedOut = counter(
    'events_dead_crowded_out_total',
    'Dead events that were removed, the oldest first, to make room for others.',
  )
  const missed = counter(
    'deployments_overdue_total',
    'Deployments that began and never ended, so their failure alert was triggered.',
  )
  missed(0)
  const latency = new Histogram({
    name: `${PREFIX}delivery_duration_seconds`,
    help: 'Time from the acceptance of an event until PagerDuty accepted it.',
    labelNames: ['kind'],
    buckets: BUCKETS,
    registers: [registry],
  })
  // Prometheus computes rates only for a series that exists before its first event.
  for (const kind of KINDS) for (const each of [accepted, delivered, refused, failed, retried]) each(0, kind)
  if (spool !== undefined) crowdedOut(0)
  if (spool !== undefined) measureSpool(spool, createGauge(registry))
  if (fleet !== undefined) measureFleet(fleet, createGauge(registry))
  measureDeployments(deployments, registry)
  measureDeadlines(deadlines, registry)
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
    missed: () => missed(1),
    contentType: registry.contentType,
    expose: () => registry.metrics(),
  }
}

type AddGauge = (
  name: string,
  help: string,
  collect: (gauge: Gauge) => void | Promise<void>,
  ...labelNames: string[]
) => void

function createGauge(registry: Registry): AddGauge {
  return (name, help, collect, ...labelNames) => {
    const created: Gauge = new Gauge({
      name: `${PREFIX}${name}`,
      help,
      labelNames,
      registers: [registry],
      collect: () => collect(created),
    })
  }
}

/** What is measured of a fleet on each scrape. */
export interface FleetGauges {
  readonly counts: () => SpoolCounts | Promise<SpoolCounts>
  readonly figures: () => FleetFigures
}

function measureFleet({ counts, figures }: FleetGauges, gauge: AddGauge): void {
  gauge('fleet_engine_up', '1 if the fleet’s database answers, 0 if events go to the spool.', (it) =>
    it.set(figures().state.kind === 'up' ? 1 : 0),
  )
  gauge('fleet_keys_owned', 'Routing keys that this relay delivers for.', (it) => it.set(figures().keysOwned))
  gauge(
    'fleet_lease_seconds',
    'How long this relay’s leases last unless it renews them; 0 if it has none.',
    (it) => it.set((figures().leaseMs ?? 0) / 1000),
  )
  gauge(
    'fleet_events',
    'Events of the whole fleet, up to 100,001 of each status. Each relay reports the same: take the maximum.',
    async (it) => setAll(it, await counts()),
    'status',
  )
}

function measureSpool({ counts, oldestPendingAgeMs, isDelivering }: SpoolGauges, gauge: AddGauge): void {
  gauge('spool_events', 'Events in the spool.', async (it) => setAll(it, await counts()), 'status')
  gauge(
    'spool_oldest_pending_age_seconds',
    'Age of the oldest event that is not delivered; 0 if all are.',
    async (it) => it.set(((await oldestPendingAgeMs()) ?? 0) / 1000),
  )
  gauge('spool_delivering', '1 if this process delivers the spool, 0 if another does.', (it) =>
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

/** Adds to a counter; the values are those of its labels, in order. */
type Tally = (count: number, ...values: readonly string[]) => void

/**
 * A counter that keeps its own totals and reports them on a scrape. prom-client's own `inc` validates, sorts and joins the
 * labels on each call, and there are several calls for each event.
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
