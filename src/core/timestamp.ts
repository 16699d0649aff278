/** What a user is shown when a timestamp is refused. */
export const TIMESTAMP_EXAMPLES = '2026-01-31T12:00:00Z, 2026-01-31T13:00:00.5+01:00 or epoch seconds'

/**
 * ISO 8601 date and time with a zone, extended form: fraction with `.` or `,`, seconds optional, zone as `Z`,
 * `+01:00`, `+0100` (PagerDuty's own examples) or `+01`.
 */
const ISO_8601 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?([Zz]|[+-]\d{2}(?::?\d{2})?)$/
const EPOCH_SECONDS = /^\d{1,11}(?:\.\d{1,9})?$/

/**
 * Reads a timestamp and gives it as PagerDuty likes it best, `2026-01-31T12:00:00.000Z`.
 * `Date.parse` is the wrong reader: it takes `2021-10-22 5:01:32`, which PagerDuty refuses, rolls 30 February over
 * to March, and does not know `2011-05-06T03:30-07`.
 * @returns undefined for anything else than ISO 8601 with a zone, or epoch seconds
 */
export function parseTimestamp(text: string): string | undefined {
  const trimmed = text.trim()
  if (EPOCH_SECONDS.test(trimmed)) return toIso(Number(trimmed) * 1000)
  const match = ISO_8601.exec(trimmed)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second = '0', fraction = '', zone = 'Z'] = match
  const offsetMs = zoneOffsetMs(zone)
  const isLeapSecond = second === '60' // ISO 8601 allows it; POSIX time does not know it
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  date.setUTCHours(Number(hour), Number(minute), isLeapSecond ? 59 : Number(second), milliseconds(fraction))
  const isReal =
    offsetMs !== undefined &&
    date.getUTCMonth() === Number(month) - 1 &&
    date.getUTCDate() === Number(day) &&
    date.getUTCHours() === Number(hour) &&
    date.getUTCMinutes() === Number(minute)
  return isReal ? toIso(date.getTime() - offsetMs) : undefined
}

function milliseconds(fraction: string): number {
  return Number(fraction.slice(0, 3).padEnd(3, '0'))
}

function zoneOffsetMs(zone: string): number | undefined {
  if (/^z$/i.test(zone)) return 0
  const digits = zone.replaceAll(/\D/g, '').padEnd(4, '0')
  const hours = Number(digits.slice(0, 2))
  const minutes = Number(digits.slice(2))
  if (hours > 23 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

/** Years that a four-digit ISO year can hold, so that the result never has a sign or six digits. */
function toIso(timeMs: number): string | undefined {
  const date = new Date(timeMs)
  const year = date.getUTCFullYear()
  return year >= 0 && year <= 9999 ? date.toISOString() : undefined
}
