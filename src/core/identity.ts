import { createHash } from 'node:crypto'
import type { Build } from './build.ts'
import { LIMITS } from './event.ts'
import { cutChars } from './truncate.ts'

/** A value and its origin in words: `--environment`, `PAGERDUTY_ENVIRONMENT`, `CI_BRANCH`, `default`. */
export interface Traced {
  readonly value: string
  readonly origin: string
}

/** What makes two events belong together, with the origin of each part. */
export interface Identity {
  readonly environment?: Traced
  /** Absent if neither the user nor a build gives one. */
  readonly dedupKey?: Traced
  readonly step?: Traced
  readonly source: Traced
}

/** The user's own choices; `undefined` if there is none. */
export interface IdentityChoices {
  readonly environment?: Traced | undefined
  readonly dedupKey?: Traced | undefined
  readonly source?: Traced | undefined
  readonly step?: Traced | undefined
}

/**
 * Decides environment, dedup key and source: the user's choice, else the build's, else a default. None of them
 * depends on the build's id, commit or time.
 * @param hostname the source if no repository is known; PagerDuty refuses a blank one
 */
export function identify(choices: IdentityChoices, build: Build, hostname: string): Identity {
  const repository = fromBuild(build, 'repository')
  const environment = choices.environment ?? environmentOf(build)
  // Each of several parallel jobs has an alert of its own: another job that passes must not resolve it.
  const step = choices.step ?? fromBuild(build, 'leg')
  const dedupKey = choices.dedupKey
    ? { ...choices.dedupKey, value: limitDedupKey(choices.dedupKey.value) }
    : deriveDedupKey(repository, environment, step)
  return {
    ...(environment && { environment }),
    ...(dedupKey && { dedupKey }),
    ...(step && { step }),
    source: choices.source ?? repository ?? { value: hostname, origin: 'the host name' },
  }
}

/**
 * The environment that the CI names, else the branch. Never a tag: the next deployment has another tag, so it would not
 * resolve this one's alert.
 */
function environmentOf(build: Build): Traced | undefined {
  const named = fromBuild(build, 'environment')
  return named ?? (build.tag === undefined ? fromBuild(build, 'branch') : undefined)
}

function deriveDedupKey(
  repository: Traced | undefined,
  environment: Traced | undefined,
  step: Traced | undefined,
): Traced | undefined {
  if (repository === undefined) return undefined
  const parts = { repository, environment, step }
  const origins = Object.entries(parts).flatMap(([part, traced]) =>
    traced ? [`${part} from ${traced.origin}`] : [],
  )
  const value = dedupKeyFor({
    repository: repository.value,
    environment: environment?.value,
    step: step?.value,
  })
  return { value, origin: origins.join(', ') }
}

function fromBuild(build: Build, field: 'repository' | 'environment' | 'branch' | 'leg'): Traced | undefined {
  const value = build[field]
  return value === undefined ? undefined : { value, origin: build.origins[field] ?? 'the CI' }
}

/** What an alert is about: the same in all builds, commits and re-runs. */
interface Subject {
  readonly repository: string
  readonly environment?: string | undefined
  readonly step?: string | undefined
}

/**
 * The dedup key of a deployment's failure alert: `deploy/<repository>/<environment>`, plus `/<step>` if there is one.
 * It does not depend on the build, so the next success resolves the last failure without any stored state.
 */
export function dedupKeyFor({ repository, environment, step }: Subject): string {
  return limitDedupKey(
    ['deploy', repository, environment, step].filter((part) => part !== undefined).join('/'),
  )
}

/**
 * The dedup key of a success alert. It needs its own key, or the resolve sent with it would close it.
 */
export function successKeyFor(failureKey: string): string {
  return limitDedupKey(`${failureKey}#success`)
}

/**
 * The dedup key of the alert that says a deployment has begun, which PagerDuty itself holds back. It does not depend on
 * the build either, so the next success resolves it if an outcome is missing.
 */
export function startedKeyFor(failureKey: string): string {
  return limitDedupKey(`${failureKey}#started`)
}

/**
 * Brings a key within PagerDuty's limit. A longer key becomes its readable head and the SHA-256 of the whole, so that a
 * trigger and its resolve still have the same key.
 */
export function limitDedupKey(key: string): string {
  const wellFormed = key.toWellFormed()
  if (wellFormed.length <= LIMITS.dedupKeyChars) return wellFormed
  const hash = createHash('sha256').update(wellFormed).digest('hex')
  return `${cutChars(wellFormed, LIMITS.dedupKeyChars - hash.length - 1)}-${hash}`
}
