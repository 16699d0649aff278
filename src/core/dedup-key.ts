import { createHash } from 'node:crypto'
import { LIMITS } from './event.ts'
import { cutChars } from './truncate.ts'

/** What an alert is about: the same over builds, commits and re-runs. */
export interface Subject {
  readonly repository: string
  readonly environment?: string | undefined
  readonly step?: string | undefined
}

/**
 * The dedup key of a deployment's failure alert: `deploy/<repository>/<environment>`, plus `/<step>` where named.
 * It knows nothing of the build, so the next success resolves the last failure without any stored state.
 */
export function dedupKeyFor({ repository, environment, step }: Subject): string {
  return limitDedupKey(
    ['deploy', repository, environment, step].filter((part) => part !== undefined).join('/'),
  )
}

/**
 * The key of the alert that tells of a success: one of its own, since under the failure's key the resolve beside it
 * would close it at once.
 */
export function successKeyFor(failureKey: string): string {
  return limitDedupKey(`${failureKey}#success`)
}

/**
 * A key of any length within PagerDuty's limit: over it, the readable head and the SHA-256 of the whole, so that
 * a trigger and its resolve still meet.
 */
export function limitDedupKey(key: string): string {
  const wellFormed = key.toWellFormed()
  if (wellFormed.length <= LIMITS.dedupKeyChars) return wellFormed
  const hash = createHash('sha256').update(wellFormed).digest('hex')
  return `${cutChars(wellFormed, LIMITS.dedupKeyChars - hash.length - 1)}-${hash}`
}
