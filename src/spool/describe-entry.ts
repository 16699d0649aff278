import { createMask } from '../core/mask-event.ts'
import type { Secret } from '../core/secret.ts'
import type { EventPlace } from './listing.ts'
import type { DeadFilter, EventFilter, SpoolEntry, SpoolKey } from './spool.ts'

type SecretOf = (key: SpoolKey) => Secret | undefined

/** An event as lists show it: names in snake case, keys masked. */
export function describeEntry(
  entry: Omit<SpoolEntry, 'status'> & EventPlace & { readonly status: string },
  secret: Secret | undefined,
): object {
  const { id, kind, action, key, status, attempts, acceptedAtMs, reason, where, origin, owner } = entry
  return {
    id,
    kind,
    action,
    key: describeKey(key, secret),
    dedup_key: shownDedupKey(entry),
    status,
    attempts,
    accepted_at: new Date(acceptedAtMs).toISOString(),
    reason,
    where,
    origin,
    owner,
  }
}

/** A key as people see it: masked, or its name if its secret is not known. */
export function describeKey(key: SpoolKey, secret: Secret | undefined): string {
  return secret?.masked() ?? (key.kind === 'configured' ? key.name : '…')
}

/** A dedup key with the caller's own routing key masked. It is sent as the caller wrote it, but a list must not show a key. */
export function shownDedupKey({ dedupKey, key }: Pick<SpoolEntry, 'dedupKey' | 'key'>): string | undefined {
  return key.kind === 'own' ? createMask([key.key])(dedupKey) : dedupKey
}

/** The dead events that are meant: one, those of a key (whole or masked), or all. */
export function deadFilterOf(
  { id, key: given }: { readonly id?: number | undefined; readonly key?: string | undefined },
  secretOf: SecretOf,
): DeadFilter {
  return id === undefined ? keyFilterOf(given, secretOf) : { id }
}

/** The events of a key, whole or masked; all if there is none. */
export function keyFilterOf(given: string | undefined, secretOf: SecretOf): Pick<EventFilter, 'matchesKey'> {
  if (given === undefined) return {}
  return {
    matchesKey: (key) => {
      const secret = secretOf(key)
      return (
        secret?.reveal() === given ||
        secret?.masked() === given ||
        (key.kind === 'configured' && key.name === given)
      )
    },
  }
}
