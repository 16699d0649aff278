import { formatMs } from '../core/duration.ts'
import type { RoutingKey } from '../core/routing-key.ts'
import type { Retry } from '../delivery/retry.ts'
import type { RestCall } from './client.ts'

/** The line that keeps a build from being silent between two attempts of a call. */
export function describeRestRetry({ method, path }: RestCall, { attempt, reason, delayMs }: Retry): string {
  return `${method} ${path}: attempt ${attempt} failed: ${reason}; next try in ${formatMs(delayMs)}`
}

/** Whose key is used where the user named none. */
export function describeFoundKey({ alias, key }: RoutingKey): string {
  return `routing key ${key.masked()} looked up: integration ${alias}`
}
