import type { DeploymentState } from './deployment-state.ts'

/** A failure, as one of several in a row of the same thing to the same place. */
export interface Streak {
  /** How many there are, this one included. */
  readonly failures: number
  /** From which of them on somebody is paged. */
  readonly pagesAt: number
}

/** How many failures in a row there are at the end of a history, given the latest outcome first. */
export function countFailures(latestFirst: readonly DeploymentState[]): number {
  const outcomes = latestFirst.filter((state) => state === 'success' || state === 'failure')
  const success = outcomes.indexOf('success')
  return success === -1 ? outcomes.length : success
}

/** Whether somebody is paged for the failure. */
export function isPaging({ failures, pagesAt }: Streak): boolean {
  return failures >= pagesAt
}

/** The note of a failure that pages nobody: `1st of 3 before somebody is paged`. */
export function describeStreak({ failures, pagesAt }: Streak): string {
  return `${ordinal(failures)} of ${pagesAt} before somebody is paged`
}

/** `1st`, `2nd`, `11th`. */
export function ordinal(number: number): string {
  const isTeen = number % 100 >= 11 && number % 100 <= 13
  const ending = isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th')
  return `${number}${ending}`
}
