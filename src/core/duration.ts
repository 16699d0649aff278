/** For a log: `0.5 s`, `42 s`. */
export function formatMs(durationMs: number): string {
  return `${Number((durationMs / 1000).toFixed(durationMs < 10_000 ? 1 : 0))} s`
}

/** For a summary: `42 s`, `3 min 5 s`, `1 h 2 min`. */
export function formatDuration(durationSeconds: number): string {
  const seconds = Math.round(durationSeconds)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

/** For a sentence: `45 seconds`, `31 minutes`, `2 hours 5 minutes`. */
export function durationInWords(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1000))
  if (seconds < 120) return count(seconds, 'second')
  const minutes = Math.floor(seconds / 60)
  if (minutes < 120) return count(minutes, 'minute')
  const rest = minutes % 60
  return count(Math.floor(minutes / 60), 'hour') + (rest === 0 ? '' : ` ${count(rest, 'minute')}`)
}

function count(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? '' : 's'}`
}

/** The largest unit alone: `less than a minute`, `5 min`, `3 h`, `2 d`. */
export function ageInWords(ageMs: number): string {
  const minutes = Math.floor(ageMs / 60_000)
  if (minutes < 1) return 'less than a minute'
  if (minutes < 120) return `${minutes} min`
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / (24 * 60))} d`
}
