const ISO_8601 =
  /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)(?:T(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:[.,]\d+)?)?(?<zone>Z|[+-]\d\d(?::?\d\d)?))?$/

/**
 * Whether a timestamp is one that PagerDuty documents: a date alone, or a date and a time with a zone, which may be
 * `Z`, `-05:00`, `+0000` (as in PagerDuty's own examples) or `-07`; seconds and fraction may be missing. The day must exist.
 *
 * Source: PagerDuty developer docs, "Types" (REST) and "Send an alert event". Refused in practice were
 * `2021-10-22 5:01:32` and an hour of one digit. A time without a zone is refused: nobody shows that it works.
 */
export function isIso8601(text: string): boolean {
  const parts = ISO_8601.exec(text)?.groups
  if (parts === undefined) return false
  const { year, month, day, hour = '0', minute = '0', second = '0', zone = 'Z' } = parts
  const daysInMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  return (
    isWithin(1, month, 12) &&
    isWithin(1, day, daysInMonth) &&
    isWithin(0, hour, 23) &&
    isWithin(0, minute, 59) &&
    isWithin(0, second, 60) && // a leap second is written as 60
    isZone(zone)
  )
}

function isZone(zone: string): boolean {
  if (zone === 'Z') return true
  const digits = zone.replaceAll(/\D/g, '')
  return isWithin(0, digits.slice(0, 2), 23) && isWithin(0, digits.slice(2) || '0', 59)
}

function isWithin(least: number, digits: string | undefined, most: number): boolean {
  return Number(digits) >= least && Number(digits) <= most
}
