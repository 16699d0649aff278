import type { Growth } from './growth.ts'

/** One figure of a section whose rows have nothing else in common, and its target if it has one. */
export interface Fact {
  readonly name: string
  /** Such as `ms`; empty for a ratio. */
  readonly unit: string
  /** One value for each round. */
  readonly values: readonly number[]
  /** What else is to know about it. */
  readonly remark?: string
  readonly target?: FactTarget
}

/** What a figure should be. */
export interface FactTarget {
  readonly limit: number
  /** Whether more is better. Default: less is. */
  readonly isLeast?: boolean
  /** If it is missed: the best that any such program can do, and what it would take to get closer. */
  readonly floor: string
}

/** A section of the page that is a table of such figures. */
export interface FactSection {
  readonly title: string
  /** What is compared with what: a sentence or two. */
  readonly note: string
  readonly facts: readonly Fact[]
}

/** What such a section measures. */
export interface Measured {
  readonly facts: readonly Fact[]
  /** Shown with all other curves. */
  readonly growth?: readonly Growth[]
}

/** A ratio of each round. */
export function ratios(values: readonly number[], others: readonly number[]): number[] {
  return values.map((value, round) => value / (others[round] ?? Number.NaN))
}
