import type { DeliveryConfig } from '../config/delivery.ts'
import { Failure } from '../core/failure.ts'

/** The headers of a request to a relay that is answered with JSON. */
export function relayHeaders({ relay }: Pick<DeliveryConfig, 'relay'>): Record<string, string> {
  return {
    accept: 'application/json',
    ...(relay?.token && { authorization: `Bearer ${relay.token.reveal()}` }),
  }
}

/** @throws Failure of kind `config` if the status says that the relay requires another token */
export function requireAccess(status: number): void {
  if (status === 401 || status === 403)
    throw new Failure('config', 'the relay requires its bearer token: set PAGERDUTY_RELAY_TOKEN')
}
