import type { Identity } from '../core/identity.ts'
import type { Log } from '../log.ts'

/** Says where environment, dedup key and source came from: what decides which events belong together. */
export function explainIdentity({ environment, dedupKey, source }: Identity, log: Log): void {
  const parts = { environment, 'dedup key': dedupKey, source }
  for (const [name, traced] of Object.entries(parts)) {
    log.info(traced === undefined ? `${name}: none` : `${name}: ${traced.value} (${traced.origin})`)
  }
}
