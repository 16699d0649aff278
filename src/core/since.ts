import { parseTimestamp } from './timestamp.ts'

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/**
 * The time, in milliseconds since 1970, that a text means: `30d`, `12h`, `45m` or `2w` ago, or an ISO 8601 day or time, in UTC
 * if it names no zone. Undefined for anything else.
 */
export function parseSince(text: string, nowMs: number): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6})\s*([mhdw])$/.exec(text.trim()) ?? []
  if (count !== undefined) return nowMs - Number(count) * (UNIT_MS[unit] ?? 0)
  if (!/^\d{4}-\d{2}-\d{2}/.test(text.trim())) return undefined
  const isDay = text.trim().length === 'YYYY-MM-DD'.length
  const timestamp = parseTimestamp(isDay ? `${text.trim()}T00:00Z` : text)
  return timestamp && Date.parse(timestamp.iso)
}
