import type { Event } from '../core/event.ts'
import { successKeyFor, type Identity, type Traced } from '../core/identity.ts'
import type { Log } from '../log.ts'
import { isRandomDedupKey } from './session.ts'

/**
 * Says where environment, dedup key and source of the events came from: what decides which of them belong together.
 * Where a value is not the one that options and build give, its writer gave it in the event itself.
 */
export function explainIdentity(events: readonly Event[], identity: Identity, log: Log): void {
  const bodies = events.map(({ body }) => body)
  const key = bodies.findLast((body) => body.dedup_key !== undefined)?.dedup_key
  const source = bodies.find((body) => body.payload?.source !== undefined)?.payload?.source
  const hasAlert = events.some(({ kind }) => kind === 'alert')
  const isShown = bodies.some((body) => body.payload?.custom_details?.['environment'] !== undefined)
  // A change event made of options alone does not say what environment the build is for.
  if (hasAlert || isShown || identity.environment === undefined)
    explain(log, 'environment', identity.environment)
  if (hasAlert) explain(log, 'dedup key', traceKey(key, identity))
  if (source !== undefined) explain(log, 'source', trace(source, identity.source))
}

function explain(log: Log, name: string, traced: Traced | undefined): void {
  log.info(traced === undefined ? `${name}: none` : `${name}: ${traced.value} (${traced.origin})`)
}

function traceKey(key: string | undefined, { dedupKey }: Identity): Traced | undefined {
  if (key === undefined) return undefined
  return isRandomDedupKey(key)
    ? { value: key, origin: 'random, since nothing names the alert' }
    : trace(key, dedupKey && key === successKeyFor(dedupKey.value) ? { ...dedupKey, value: key } : dedupKey)
}

function trace(value: string, known: Traced | undefined): Traced {
  return { value, origin: value === known?.value ? known.origin : 'the event' }
}
