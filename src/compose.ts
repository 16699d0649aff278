import { setFlagsFromString } from 'node:v8'
import { CLOCK } from './delivery/real-clock.ts'
import { isKeyLookedUp } from './config/load.ts'
import type { DeliveryConfig } from './config/delivery.ts'
import type { FleetConfig } from './config/fleet.ts'
import type { RestConfig } from './config/rest.ts'
import type { RoutingKey } from './core/routing-key.ts'
import type { Secret } from './core/secret.ts'
import type { Post } from './delivery/request.ts'
import type { Retry } from './delivery/retry.ts'
import type { Engine } from './fleet/engine.ts'
import type { FleetOptions } from './fleet/open.ts'
import type { RelayFleet } from './fleet/relay-fleet.ts'
import type { RelayFleetOptions } from './fleet/relay-fleet-parts.ts'
import { createResolver } from './spool/worker/destinations.ts'
import type { Worker, WorkerEvents } from './spool/worker/types.ts'
import type { EarlyConnections } from './delivery/preconnect.ts'
import { createSender, type Attempt, type Sender } from './delivery/sender.ts'
import type { KeyLookUp } from './rest/remember-key.ts'
import type { ListedSpool } from './spool/listing.ts'
import type { SpoolOptions } from './spool/open.ts'
import type { Spool } from './spool/spool.ts'
import { createTransport, type Transport, type TransportOptions } from './delivery/transport.ts'
import type { RestClient } from './rest/client.ts'
import { noteKey, rememberKey } from './rest/remember-key.ts'

/** How long the relay keeps an idle connection to PagerDuty, unless PagerDuty asks for less. */
const WARM_MS = 60_000

/** A transport for the relay, which keeps its connections so that the next event needs no handshake. */
export function composeRelayTransport({ proxy, eventsUrl }: DeliveryConfig): Transport {
  return createTransport({ proxy, baseUrl: eventsUrl, keepAliveMs: WARM_MS })
}

export interface ComposeOptions {
  readonly delivery: DeliveryConfig
  /** When the invocation started, on the clock's scale: the deadline counts from there. */
  readonly startedAtMs: number
  readonly version: string
  readonly signal: AbortSignal
  readonly onAttempt: (post: Post, attempt: Attempt) => void
  readonly onRetry: (post: Post, retry: Retry) => void
  /** Connections that were opened while this module was loaded. */
  readonly early?: EarlyConnections | undefined
  /** A transport that exists already; default: a new one. */
  readonly transport?: Transport | undefined
}

/** Creates a sender. */
export function composeSender({
  delivery,
  startedAtMs,
  version,
  signal,
  early,
  transport = composeTransport(delivery, { early }),
  ...listeners
}: ComposeOptions): Sender {
  return createSender({
    transport,
    clock: CLOCK,
    deadlineAtMs: startedAtMs + delivery.deadlineMs,
    timeoutMs: delivery.timeoutMs,
    userAgent: `pagerduty-alert/${version}`,
    signal,
    secrets: delivery.secrets,
    ...listeners,
  })
}

export interface ComposeRestOptions {
  readonly delivery: DeliveryConfig
  readonly rest: RestConfig
  readonly token: Secret
  /** The deadline of a call that starts now, on the scale of `performance.now()`. */
  readonly deadlineAtMs: () => number
  readonly version: string
  readonly signal: AbortSignal
  /** Gets a line for each retry, and for the key that was looked up. */
  readonly log: (line: string) => void
  /** Whether it outlives one invocation, and so gets more than a few answers. */
  readonly isLongLived?: boolean
}

/** Creates a REST client, which uses the same proxies as the events. */
export async function composeRestClient({
  delivery,
  rest,
  version,
  isLongLived = false,
  ...options
}: ComposeRestOptions): Promise<RestClient> {
  const { createRestClient } = await import('./rest/client.ts') // most invocations do not call the REST API
  const transport = createTransport({
    proxy: delivery.proxy,
    baseUrl: rest.apiUrl,
    connectTimeoutMs: delivery.timeoutMs,
  })
  if (!isLongLived) keepParserAsItIs()
  return createRestClient({
    ...options,
    transport,
    clock: CLOCK,
    apiUrl: rest.apiUrl,
    from: rest.from,
    timeoutMs: delivery.timeoutMs,
    userAgent: `pagerduty-alert/${version}`,
    secrets: delivery.secrets,
  })
}

export interface ComposeKeyLookUpOptions extends Omit<ComposeRestOptions, 'token' | 'deadlineAtMs'> {
  /** The deadline of a call that starts now; default: after the time of one attempt. */
  readonly deadlineAtMs?: (() => number) | undefined
}

/**
 * Creates a function that looks the key up, once; undefined if keys are configured, or there is no REST API token.
 */
export function composeKeyLookUp(options: ComposeKeyLookUpOptions): KeyLookUp | undefined {
  const { delivery, rest } = options
  const { token } = rest
  if (token === undefined || !isKeyLookedUp(options)) return undefined
  const deadlineAtMs = options.deadlineAtMs ?? ((): number => CLOCK.now() + delivery.timeoutMs)
  return rememberKey(
    async () => {
      const client = await composeRestClient({ ...options, token, deadlineAtMs })
      try {
        const { describeFoundKey, lookUpKey } = await import('./rest/look-up-key.ts')
        const key = await lookUpKey(client, rest)
        options.log(describeFoundKey(key))
        return key
      } finally {
        await client.close()
      }
    },
    () => CLOCK.now(),
  )
}

/** Creates a transport, also for requests that are not events. The caller closes it. */
export function composeTransport(
  { proxy, eventsUrl: baseUrl, timeoutMs }: DeliveryConfig,
  connections: Pick<TransportOptions, 'early' | 'warm' | 'connect'> = {},
): Transport {
  const transport = createTransport({ proxy, baseUrl, connectTimeoutMs: timeoutMs, ...connections })
  keepParserAsItIs()
  return transport
}

/** Opens a spool. Its code and the database are loaded only then: most invocations keep nothing. */
export async function composeSpool(options: SpoolOptions): Promise<ListedSpool> {
  const { openSpool } = await import('./spool/open.ts')
  return await openSpool(options)
}

/** Opens a connection to a fleet, for a process that does not join it. The caller closes it. */
export async function composeEngine(options: FleetOptions): Promise<Engine> {
  const { openFleet } = await import('./fleet/open.ts')
  return openFleet(options)
}

export interface ComposeRelayFleetOptions
  extends
    Omit<ComposeWorkerOptions, 'spool' | 'events'>,
    Pick<RelayFleetOptions, 'spool' | 'events' | 'onState' | 'onWarning' | 'origin'> {
  readonly fleet: FleetConfig
}

/** Joins a fleet and delivers its events, and its own spool's if the fleet cannot. The caller closes the transport. */
export async function composeRelayFleet(options: ComposeRelayFleetOptions): Promise<RelayFleet> {
  const { fleet, origin, delivery, version, maxAgeMs } = options
  const { openFleet } = await import('./fleet/open.ts')
  const { startRelayFleet } = await import('./fleet/relay-fleet.ts')
  const { startWorker } = await import('./spool/worker/worker.ts')
  const { timeoutMs, secrets } = delivery
  const found: RoutingKey[] = []
  const resolve = createResolver(delivery, options.lookUp && noteKey(options.lookUp, found))
  const userAgent = `pagerduty-alert/${version}`
  const transport = options.transport ?? composeTransport(delivery)
  const shared = { transport, clock: CLOCK, resolve, userAgent, timeoutMs, maxAgeMs, secrets }
  return startRelayFleet({
    ...options,
    engine: openFleet({ fleet, origin: origin.name, version }),
    clock: CLOCK,
    ratePerMinute: RATE_PER_MINUTE,
    foundKeys: () => found,
    launchWorker: ({ queue, ...own }) => startWorker({ ...shared, ...own, spool: { queue } }),
  })
}

/** PagerDuty accepts 120 events a minute per key. The rest is for other processes that send with the same key. */
const RATE_PER_MINUTE = 110

export interface ComposeWorkerOptions {
  readonly spool: Spool
  readonly delivery: DeliveryConfig
  readonly maxAgeMs: number
  readonly version: string
  readonly events: WorkerEvents
  /** Looks the key up if none is configured. */
  readonly lookUp?: KeyLookUp | undefined
  /** Connections to deliver over; new ones if omitted. */
  readonly transport?: Transport
}

/** A worker and its connections. */
export interface ComposedWorker {
  readonly worker: Worker
  readonly transport: Transport
}

/** Starts to deliver a spool. The caller stops the worker, and then closes the transport. */
export async function composeWorker({
  delivery,
  version,
  lookUp,
  transport = composeTransport(delivery),
  ...options
}: ComposeWorkerOptions): Promise<ComposedWorker> {
  const { startWorker } = await import('./spool/worker/worker.ts')
  const { timeoutMs, secrets } = delivery
  const worker = startWorker({
    ...options,
    transport,
    clock: CLOCK,
    resolve: createResolver(delivery, lookUp),
    userAgent: `pagerduty-alert/${version}`,
    timeoutMs,
    ratePerMinute: RATE_PER_MINUTE,
    secrets,
  })
  return { worker, transport }
}

/**
 * Keeps V8 from compiling undici's parser (WebAssembly) a second time, with optimization, on its second answer. That takes
 * 50 ms on other threads, and the process waits for it before it exits: worth it for a relay, but not for the few answers of
 * one invocation. V8 accepts no code cache that was made with other flags, so call this after creating a transport, which
 * loads TLS from Node's cache.
 */
function keepParserAsItIs(): void {
  setFlagsFromString('--wasm-tiering-budget=2000000000')
}
