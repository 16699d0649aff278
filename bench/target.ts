/** A target for the program. */
export interface Target {
  readonly what: string
  readonly limit: number
  /** Whether more is better. Default: less is. */
  readonly isLeast?: boolean
  /** What was measured. */
  readonly value: number | undefined
  /** If it is missed: the best that any such program can do, and what it would take to get closer. */
  readonly floor: string
}

/** Whether a target was reached; undefined if it was not measured. */
export function isMet({ limit, isLeast = false, value }: Target): boolean | undefined {
  if (value === undefined || Number.isNaN(value)) return undefined
  return isLeast ? value >= limit : value <= limit
}

/** Three significant digits. */
export function show(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return 'not measured'
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(value >= 20 ? 1 : value >= 1 ? 2 : 3)
}
