/**
 * A time in ISO 8601, such as `2026-01-31T12:00:00.000Z`; undefined if it is unknown or beyond what `Date` can hold.
 * @param timeMs since 1970
 */
export function isoTime(timeMs: number | undefined): string | undefined {
  const time = new Date(timeMs ?? Number.NaN)
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString()
}
