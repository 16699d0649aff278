import type { Range } from './ranges.ts'

/** A text to look for; a word counts only where no letter or digit touches it. */
export interface Needle {
  readonly text: string
  readonly isWord: boolean
}

/** How many characters of a needle it is indexed by; a shorter one is not found. */
const HEAD_CHARS = 4
const HEADS = 2 ** 16

/**
 * A search for many texts at once in one pass: each place is looked up by its next four characters, so the number of
 * needles costs nothing at a place where none begins. The longest match wins.
 */
export function createSearch(needles: readonly Needle[]): (text: string) => Range[] {
  const byHead = new Map<number, Needle[]>()
  const isHead = new Uint8Array(HEADS)
  for (const needle of needles.toSorted((a, b) => b.text.length - a.text.length)) {
    if (needle.text.length < HEAD_CHARS) continue
    const head = [0, 1, 2, 3].reduce((sum, index) => rolled(sum, needle.text, index), 0)
    byHead.set(head, [...(byHead.get(head) ?? []), needle])
    isHead[bucketOf(head)] = 1
  }
  return (text) => {
    const found: Range[] = []
    if (byHead.size === 0) return found
    for (let head = 0, last = 0; last < text.length; last++) {
      head = rolled(head, text, last)
      if (isHead[bucketOf(head)] === 0) continue
      const start = last - HEAD_CHARS + 1
      const needle = byHead.get(head)?.find((each) => isAt(text, start, each))
      if (needle !== undefined) found.push({ start, end: start + needle.text.length })
    }
    return found
  }
}

/** The last four characters as one number; what lies further back falls out at the top. */
function rolled(head: number, text: string, index: number): number {
  return (head << 8) ^ text.charCodeAt(index)
}

function bucketOf(head: number): number {
  return (head ^ (head >>> 15)) & (HEADS - 1)
}

function isAt(text: string, start: number, { text: wanted, isWord }: Needle): boolean {
  if (!text.startsWith(wanted, start)) return false
  return !isWord || !(isWordChar(text, start - 1) || isWordChar(text, start + wanted.length))
}

function isWordChar(text: string, index: number): boolean {
  return /[\p{L}\p{N}_]/u.test(text.charAt(index))
}

/**
 * Searches a text from which `gaps` were taken out: line ends within Base64, say. Ranges are those of the whole text.
 * @param gaps a global expression
 */
export function searchWithoutGaps(text: string, gaps: RegExp, search: (text: string) => Range[]): Range[] {
  const found = search(text.replaceAll(gaps, ''))
  if (found.length === 0) return []
  const cuts = [...text.matchAll(gaps)].map(({ 0: { length }, index }) => ({ index, length }))
  let next = 0
  let removed = 0
  const whole = (position: number): number => {
    for (let cut = cuts[next]; cut !== undefined && cut.index - removed <= position; cut = cuts[++next])
      removed += cut.length
    return position + removed
  }
  // Both ends rise, but may overlap from one range to the next: hence in the order of all places.
  const places = [...new Set(found.flatMap(({ start, end }) => [start, end - 1]))].toSorted((a, b) => a - b)
  const wholes = new Map(places.map((place) => [place, whole(place)]))
  return found.map(({ start, end }) => ({
    start: wholes.get(start) ?? 0,
    end: (wholes.get(end - 1) ?? 0) + 1,
  }))
}
