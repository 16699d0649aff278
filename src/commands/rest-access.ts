import { isKeyLookedUp, type Config } from '../config/load.ts'
import { Failure } from '../core/failure.ts'
import type { RoutingKey } from '../core/routing-key.ts'
import type { Secret } from '../core/secret.ts'
import type { KeyLookUp } from '../rest/remember-key.ts'
import type { RestClient } from '../rest/client.ts'
import { version } from '../version.ts'
import type { Io } from '../cli/session.ts'
import type { Log } from '../log.ts'

/** What a command needs to call the REST API. */
export interface RestContext {
  readonly io: Pick<Io, 'signal' | 'startedAtMs'>
  readonly config: Pick<Config, 'delivery' | 'rest'>
  readonly log: Log
}

export interface RestLimits {
  /** The deadline of a call that starts now, on the scale of `performance.now()`; default: the invocation's deadline. */
  readonly deadlineAtMs?: () => number
  /** Ends all calls; default: the invocation's own signal. */
  readonly signal?: AbortSignal
}

/** Lends a client of the REST API for some calls, and closes it after them. */
export async function withRestClient<T>(
  { io, config, log }: RestContext,
  token: Secret,
  use: (client: RestClient) => Promise<T>,
  limits: RestLimits = {},
): Promise<T> {
  const { delivery, rest } = config
  // Loaded here, so that an invocation with a routing key does not pay for it.
  const { composeRestClient } = await import('../compose.ts')
  const client = await composeRestClient({
    delivery,
    rest,
    token,
    version,
    deadlineAtMs: limits.deadlineAtMs ?? (() => io.startedAtMs + delivery.deadlineMs),
    signal: limits.signal ?? io.signal,
    log: (line) => log.info(line),
  })
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

/** What finding the key needs: whether it may be looked up now, and whether a spool waits for it. */
export type KeyContext = RestContext & { readonly config: Pick<Config, 'dryRun' | 'spool' | 'fleet'> }

/**
 * The configured keys; if there are none, the key of the service from the REST API. `loadConfig` has made sure that it can be
 * looked up. Each invocation does that again: a key that was rotated yesterday is not used today.
 * @returns no keys if a spool keeps the events until the key is found
 * @throws Failure if the key cannot be found
 */
export async function resolveKeys(session: KeyContext): Promise<readonly RoutingKey[]> {
  const { config, log } = session
  if (!isKeyLookedUp(config)) return config.delivery.keys
  if (config.dryRun) {
    log.info('the routing key would be looked up with the REST API token')
    return []
  }
  try {
    const lookUp = await keyLookUp(session, () => firstLookEndMs(session))
    return lookUp === undefined ? [] : [await lookUp()]
  } catch (error) {
    if (config.spool === undefined || !(error instanceof Failure) || error.kind !== 'undelivered') throw error
    log.warn(`${error.message}; the events are kept in the spool until the key is found`)
    return []
  }
}

/** How long to look for the key before the events are kept: with a spool, they are kept before any longer wait. */
const FIRST_LOOK_MS = 5000

function firstLookEndMs({ io, config }: KeyContext): number {
  const deadlineAtMs = io.startedAtMs + config.delivery.deadlineMs
  return config.spool === undefined ? deadlineAtMs : Math.min(performance.now() + FIRST_LOOK_MS, deadlineAtMs)
}

/**
 * A function that looks the key up; undefined if there is nothing to look up.
 * @param deadlineAtMs the deadline of a call that starts now; default: after the time of one attempt, which suits a spool that
 *                     is being delivered
 */
export async function keyLookUp(
  { io, config, log }: RestContext,
  deadlineAtMs?: () => number,
): Promise<KeyLookUp | undefined> {
  const { composeKeyLookUp } = await import('../compose.ts')
  return composeKeyLookUp({
    delivery: config.delivery,
    rest: config.rest,
    version,
    deadlineAtMs,
    signal: io.signal,
    log: (line) => log.info(line),
  })
}
