import type { Figures } from './figures.ts'
import { mergeRuns } from './merge-runs.ts'
import { isMet, show, type Target } from './target.ts'
import { targetsOf } from './targets.ts'

/** A target, and how its results differ. */
export interface Result extends Target {
  /** The smallest and the largest value of all runs; undefined if there is only one. */
  readonly spread: { readonly least: number; readonly most: number } | undefined
}

/** Every target and its result over all runs. @param runs at least one */
export function resultsOf(runs: readonly Figures[]): Result[] {
  const each = runs.map(targetsOf)
  return targetsOf(mergeRuns(runs)).map((target) => {
    const values = each
      .map((targets) => targets.find(({ what }) => what === target.what)?.value)
      .filter((value) => value !== undefined)
    const spread = values.length < 2 ? undefined : { least: Math.min(...values), most: Math.max(...values) }
    return { ...target, spread }
  })
}

/** The missed targets, a line for each. */
export function missedText(runs: readonly Figures[]): string {
  return resultsOf(runs)
    .filter((result) => isMet(result) === false)
    .map(({ what, limit, value }) => `missed: ${what}: ${show(value)} instead of ${limit}\n`)
    .join('')
}
