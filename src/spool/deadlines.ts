import type { Event } from '../core/event.ts'
import type { SpoolKey } from './spool.ts'

/** A deployment that has begun. */
export interface Start {
  /** What `buildStarted` made: the alert of a deployment that never ends. */
  readonly event: Event
  /** The keys to send that alert with. */
  readonly keys: readonly SpoolKey[]
  /** How long it may take from now on; absent: no limit, or that of an earlier start, whose time goes on. */
  readonly withinMs?: number
  /** How long it has been running already. */
  readonly elapsedMs?: number
}

/** A start that was reported a while ago. */
export interface EarlierStart extends Start {
  /** How long ago that was: the time of `withinMs` has been running since then. */
  readonly agoMs: number
}

/**
 * The result of reporting that a deployment has begun.
 *
 * - `running`: it is remembered; `dueInMs` is how long until its alert is triggered, absent if it has no limit, and `isKnown`
 *   if this was a sign of life
 * - `ended`: its outcome came first, or its time was over already
 * - `full`: as many deployments run as can be remembered
 * - `unavailable`: the disk is full, read-only or locked for too long; nothing was kept
 */
export type Begun =
  | { readonly kind: 'running'; readonly dueInMs?: number | undefined; readonly isKnown?: boolean }
  | { readonly kind: 'ended' }
  | { readonly kind: 'full'; readonly limit: number }
  | { readonly kind: 'unavailable'; readonly reason: string }

/** A deployment whose time was over, so that its alert was triggered. */
export interface Missed {
  readonly dedupKey: string
  readonly summary: string
}

/** The result of a look at all deadlines. */
export interface Expiry {
  readonly missed: readonly Missed[]
  /** Until the next deadline; undefined if there is none. */
  readonly nextInMs: number | undefined
  /** Why the alert of a deployment whose time is over could not be triggered; it is tried again next time. */
  readonly problem?: string
}

/** Running deployments with a deadline: those whose time is not over, and those whose alert has to be triggered yet. */
export interface DeadlineCounts {
  readonly open: number
  readonly overdue: number
}

/**
 * Deployments that have begun and must end in time. The outcome of a deployment ends its deadline when it is accepted,
 * and a newer start of the same deployment replaces it. A deployment is known by the dedup key of its failure alert and
 * by its build.
 */
export interface Deadlines {
  /** Remembers that a deployment has begun. Resolves when that is synced to disk, if there is one. Never rejects. */
  begin(start: Start): Promise<Begun>
  /** Triggers the alert of each deployment whose time is over, once, however many processes look. Never rejects. */
  expire(): Promise<Expiry>
  counts(): DeadlineCounts
}

/** Deadlines that are kept: far more deployments than anybody has running. */
export const MAX_DEADLINES = 10_000
