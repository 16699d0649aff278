import type { Range } from '../ranges.ts'

const BEGIN = '-----BEGIN '
const END = '-----END '
/** Blocks that are masked; public keys and certificate requests are public. */
const LABEL = /[A-Z0-9 ]{0,60}(?:PRIVATE KEY|CERTIFICATE|MESSAGE)(?: BLOCK)?-----/y
const PRIVATE_LABEL = /[A-Z0-9 ]{0,60}PRIVATE KEY(?: BLOCK)?-----/y
const END_LABEL = /[A-Z0-9 ]{1,80}-----/y

/** PEM blocks, including those that are cut off at either end. */
export function findPemBlocks(text: string): Range[] {
  const found: Range[] = []
  let end = 0
  for (let at = nextMark(text, 0); at !== -1; at = nextMark(text, end)) {
    if (text.startsWith(BEGIN, at) && matches(LABEL, text, at + BEGIN.length)) {
      end = blockEnd(text, at)
      found.push({ start: at, end })
    } else if (text.startsWith(END, at) && matches(PRIVATE_LABEL, text, at + END.length)) {
      const start = bodyStart(text, at, end)
      end = PRIVATE_LABEL.lastIndex
      found.push({ start, end })
    } else end = at + BEGIN.length - 2
  }
  return found
}

function nextMark(text: string, from: number): number {
  MARK.lastIndex = from
  return MARK.exec(text)?.index ?? -1
}

const MARK = /-----(?:BEGIN|END) /g

function matches(label: RegExp, text: string, at: number): boolean {
  label.lastIndex = at
  return label.test(text)
}

/** The place after the line that ends a block, or the end of the text. */
function blockEnd(text: string, begin: number): number {
  const at = text.indexOf(END, begin)
  if (at === -1) return text.length
  return matches(END_LABEL, text, at + END.length) ? END_LABEL.lastIndex : at
}

/** Where the lines of Base64 before an end begin, at `floor` at the earliest. */
function bodyStart(text: string, end: number, floor: number): number {
  let start = end
  while (start > floor) {
    const lineStart = floor + text.slice(floor, start - 1).lastIndexOf('\n') + 1
    if (!/^[ \t]*[A-Za-z0-9+/=\\]*\s?$/.test(text.slice(lineStart, start))) break
    start = lineStart
  }
  return start
}
