/** A part of a text, from its first character up to the one after its last. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** The text with a mask in the place of every range. Ranges that overlap share one mask. */
export function maskRanges(text: string, ranges: readonly Range[], mask: string): string {
  let masked = ''
  let done = 0
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    if (start >= done) masked += text.slice(done, start) + mask
    done = Math.max(done, end)
  }
  return masked + text.slice(done)
}
