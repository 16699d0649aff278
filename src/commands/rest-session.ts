import type { Secret } from '../core/secret.ts'
import type { RoutingKey } from '../core/routing-key.ts'
import type { RestClient } from '../rest/client.ts'
import { version } from '../version.ts'
import { formatMs } from './report.ts'
import type { Session } from './session.ts'

export interface RestLimits {
  /** When to give a call up that begins now, on the scale of `performance.now()`; default: the invocation's deadline. */
  readonly deadlineAtMs?: () => number
  /** Ends all calls; default: the invocation's own signal. */
  readonly signal?: AbortSignal
}

/** Lends a client of the REST API for some calls, and closes it after them. */
export async function withRestClient<T>(
  { io, config, log }: Session,
  token: Secret,
  use: (client: RestClient) => Promise<T>,
  limits: RestLimits = {},
): Promise<T> {
  const { delivery, rest } = config
  // Loaded here, so that whoever has a routing key and asks nothing does not pay for it.
  const { composeRestClient } = await import('../compose.ts')
  const client = await composeRestClient({
    delivery,
    rest,
    token,
    version,
    deadlineAtMs: limits.deadlineAtMs ?? (() => io.startedAtMs + delivery.deadlineMs),
    signal: limits.signal ?? io.signal,
    onRetry: ({ method, path }, { attempt, reason, delayMs }) => {
      log.info(`${method} ${path}: attempt ${attempt} failed: ${reason}; next try in ${formatMs(delayMs)}`)
    },
  })
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

/**
 * The configured keys; where there are none, the one that the REST API gives for the service. `loadConfig` has made sure
 * that it can be asked for. Looked up by each invocation: a key that was rotated yesterday is not used today.
 * @throws Failure where it cannot be found
 */
export async function resolveKeys(session: Session): Promise<readonly RoutingKey[]> {
  const { delivery, rest } = session.config
  if (delivery.keys.length > 0 || delivery.relay !== undefined || rest.token === undefined)
    return delivery.keys
  if (session.config.dryRun) {
    session.log.info('the routing key would be looked up with the REST API token')
    return []
  }
  const { lookUpKey } = await import('../rest/look-up-key.ts')
  const key = await withRestClient(session, rest.token, (client) => lookUpKey(client, rest))
  session.log.info(`routing key ${key.key.masked()} looked up: integration ${key.alias}`)
  return [key]
}
