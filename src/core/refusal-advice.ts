import type { Event } from './event.ts'
import { takesChanges } from './routing-key.ts'
import type { Secret } from './secret.ts'

/** What is known about a refused request. */
export interface Refusal {
  readonly kind: Event['kind']
  readonly status: number | undefined
  /** The server's words. */
  readonly reason: string
  /** Absent if a relay holds it. */
  readonly routingKey?: Secret | undefined
  readonly region: 'us' | 'eu'
}

/** What to do about a refusal, if its cause is known. */
export function refusalAdvice({ kind, status, reason, routingKey, region }: Refusal): string | undefined {
  if (kind === 'change' && routingKey !== undefined && !takesChanges(routingKey))
    return ORCHESTRATION_KEY_ADVICE
  if (/'routing_key' (cannot be blank|cannot contain)|Length of 'routing_key'/i.test(reason)) {
    const whose = routingKey === undefined ? 'the relay’s key' : 'the key'
    return `${whose} is not an Events API v2 integration key; a REST API token cannot send events`
  }
  if (/invalid routing key/i.test(reason))
    return routingKey === undefined ? RELAY_KEY_ADVICE : unknownKeyAdvice(region)
  if (routingKey === undefined && (status === 401 || status === 403)) {
    return 'the relay requires its bearer token: set PAGERDUTY_RELAY_TOKEN'
  }
  if (status === 404 || status === 405)
    return 'check the address in PAGERDUTY_EVENTS_URL or PAGERDUTY_RELAY_URL'
  if (status !== undefined && status >= 300 && status <= 399) {
    return 'set PAGERDUTY_EVENTS_URL to the final address; redirects are not followed'
  }
  return undefined
}

function unknownKeyAdvice(region: Refusal['region']): string {
  const other = region === 'us' ? 'eu' : 'us'
  return (
    `no integration in the ${region.toUpperCase()} region has this key: copy it again from the service’s tab ` +
    `Integrations, or set PAGERDUTY_REGION=${other} if the account is in that region`
  )
}

/** The key and the region are settings of the relay, not of its caller. */
const RELAY_KEY_ADVICE =
  'PagerDuty does not know the relay’s key: check the key and PAGERDUTY_REGION where the relay runs'

/** Why an orchestration key cannot take change events (developer docs, "Send a change event"). */
export const ORCHESTRATION_KEY_ADVICE =
  'this is an Event Orchestration key (R…), which accepts only alerts; change events need the key of a service’s own ' +
  'Events API v2 integration, or use --as alert'
