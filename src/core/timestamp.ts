/** What a user is shown when a timestamp is refused. */
export const TIMESTAMP_EXAMPLES = '2026-01-31T12:00:00Z, 2026-01-31T13:00:00.5+01:00 or epoch seconds'

/** A moment that was read. */
export interface Timestamp {
  /** In PagerDuty's preferred form: `2026-01-31T12:00:00.000Z`. */
  readonly iso: string
  /** False if the text names no zone, in which case it was read as UTC. */
  readonly hasZone: boolean
}

/** Longer texts are not timestamps; the longest known is that of JavaScript's `Date`, with the name of its zone. */
const MAX_CHARS = 100

/**
 * The forms that clients send. ISO 8601 in the extended form (`T` or a blank between date and time, as Python's `str()`
 * and Ruby's `to_s` print it; seconds optional; a zone such as `Z`, `+01:00`, `+0100`, `+01`, ` UTC`, or Go's
 * ` +0000 UTC`) and in the basic form, RFC 2822, the `date` command, and JavaScript's `Date`. RFC 9557, and so Java, adds the
 * name of the zone in brackets.
 */
const FORMS: readonly RegExp[] = [
  /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})[Tt ](?<hour>\d{2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:[.,](?<fraction>\d+))?)?(?: ?(?<zone>[Zz]|[+-]\d{2}(?::?\d{2})?|[A-Z]{2,3})(?: [A-Z]{3,4})?(?:\[[\w/+:-]+\])?)?(?: m=[+-][\d.]+)?$/,
  /^(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})T(?<hour>\d{2})(?<minute>\d{2})(?<second>\d{2})(?:[.,](?<fraction>\d{1,9}))?(?<zone>Z|[+-]\d{2}(?:\d{2})?)?$/,
  /^(?:[A-Z][a-z]{2}, ?)?(?<day>\d{1,2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<hour>\d{2}):(?<minute>\d{2})(?::(?<second>\d{2}))?(?: (?<zone>[+-]\d{4}|[A-Z]{1,3})(?: \([\w ]+\))?)?$/,
  /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) {1,2}(?<day>\d{1,2}) (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})(?: (?<zone>[+-]\d{2,4}|[A-Z]{3}))? (?<year>\d{4})$/,
  /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>\d{2}) (?<year>\d{4}) (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2}) GMT(?<zone>[+-]\d{4})(?: \([^()]+\))?$/,
]
/**
 * A date and time as digits alone (`date +%Y%m%d%H%M%S`): as seconds or milliseconds since the epoch, they would be in the
 * years 1970, 1976 or 2612.
 */
const DIGITS =
  /^(?<year>(?:19|20)\d{2})(?<month>0[1-9]|1[0-2])(?<day>0[1-9]|[12]\d|3[01])(?:(?<hour>[01]\d|2[0-3])(?<minute>[0-5]\d)(?:(?<second>[0-5]\d)(?<fraction>\d{3})?)?)?$/
const EPOCH = /^\d{1,20}(?:\.\d{1,9})?$/
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Hours from UTC of the zones that RFC 2822 names (section 4.3); other names stand for several zones each. */
const NAMED_ZONES: Readonly<Record<string, number>> = {
  Z: 0,
  UT: 0,
  UTC: 0,
  GMT: 0,
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
}

/**
 * Reads a timestamp in one of the forms that clients send, or as seconds, milliseconds, microseconds or nanoseconds since
 * the epoch.
 * `Date.parse` is the wrong reader: it takes `2021-10-22 5:01:32`, which PagerDuty refuses, rolls 30 February over
 * to March, and does not know `2011-05-06T03:30-07`.
 * @returns undefined for anything else
 */
export function parseTimestamp(text: string): Timestamp | undefined {
  const trimmed = text.trim()
  if (trimmed.length > MAX_CHARS) return undefined
  const digits = DIGITS.exec(trimmed)?.groups
  if (digits !== undefined) return digits['hour'] === undefined ? undefined : readFields(digits)
  if (EPOCH.test(trimmed)) return toTimestamp(epochMs(trimmed), true)
  for (const form of FORMS) {
    const fields = form.exec(trimmed)?.groups
    if (fields !== undefined) return readFields(fields)
  }
  return undefined
}

/** Recognizes the unit of an epoch by its number of digits: 11 digits of seconds last until the year 5138. */
function epochMs(text: string): number {
  const [whole = ''] = text.split('.', 1)
  if (whole.length <= 11) return Number(text) * 1000
  if (whole.length <= 14) return Number(whole)
  return Number(whole.slice(0, whole.length <= 17 ? -3 : -6))
}

type Fields = Readonly<Record<string, string | undefined>>

function readFields({ year, month = '', day, hour, minute, ...more }: Fields): Timestamp | undefined {
  const { second = '0', fraction = '', zone } = more
  const offsetMs = zone === undefined ? 0 : zoneOffsetMs(zone)
  const monthIndex = /^\d/.test(month) ? Number(month) - 1 : MONTHS.indexOf(month)
  const isLeapSecond = second === '60' // ISO 8601 allows it; POSIX time does not know it
  const date = new Date(0)
  date.setUTCFullYear(Number(year), monthIndex, Number(day))
  date.setUTCHours(Number(hour), Number(minute), isLeapSecond ? 59 : Number(second), milliseconds(fraction))
  const isReal =
    offsetMs !== undefined &&
    date.getUTCMonth() === monthIndex &&
    date.getUTCDate() === Number(day) &&
    date.getUTCHours() === Number(hour) &&
    date.getUTCMinutes() === Number(minute)
  return isReal ? toTimestamp(date.getTime() - offsetMs, zone !== undefined) : undefined
}

function milliseconds(fraction: string): number {
  return Number(fraction.slice(0, 3).padEnd(3, '0'))
}

function zoneOffsetMs(zone: string): number | undefined {
  const named = NAMED_ZONES[zone.toUpperCase()]
  if (named !== undefined) return named * 3_600_000
  if (!/^[+-]/.test(zone)) return undefined
  const digits = zone.replaceAll(/\D/g, '').padEnd(4, '0')
  const hours = Number(digits.slice(0, 2))
  const minutes = Number(digits.slice(2))
  if (hours > 23 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

/** Years that a four-digit ISO year can hold, so that the result never has a sign or six digits. */
function toTimestamp(timeMs: number, hasZone: boolean): Timestamp | undefined {
  const date = new Date(timeMs)
  const year = date.getUTCFullYear()
  return year >= 0 && year <= 9999 ? { iso: date.toISOString(), hasZone } : undefined
}
