import { createSearch, searchWithoutGaps, type Needle } from './find-needles.ts'
import type { Range } from './ranges.ts'
import { base64Forms, hexForms, spelledForms } from './secret-forms.ts'

/** Shortest value that is looked for in Base64 and hexadecimal, in UTF-16 units. */
const MIN_ENCODED_CHARS = 6
/** From here on a value counts inside words, too, unless it is all letters or all digits. */
const MIN_PART_CHARS = 8

/** What may come between the characters of Base64: line ends, also escaped ones. */
const BASE64_GAPS = /(?:\s|\\[nr])+/g
/** What may come between the bytes of a hexadecimal dump. */
const HEX_GAPS = /(?:[\s:%,]|\\x|0x)+/g

/** A search for known secrets, as they are and in every encoding in which they are often printed. */
export function createKnownSearch(secrets: readonly string[]): (text: string) => Range[] {
  const encoded = secrets.filter(({ length }) => length >= MIN_ENCODED_CHARS)
  const searchPlain = createSearch(secrets.flatMap(plainNeedles))
  const searchBase64 = createSearch(encoded.flatMap(base64Forms).map(partNeedle))
  const searchHex = createSearch(encoded.flatMap(hexForms).map(partNeedle))
  return (text) => [
    ...searchPlain(text),
    ...searchWithoutGaps(text, BASE64_GAPS, searchBase64).map((range) => withNeighbours(text, range)),
    ...searchWithoutGaps(text, HEX_GAPS, searchHex),
  ]
}

function plainNeedles(secret: string): Needle[] {
  const isWord = secret.length < MIN_PART_CHARS || /^(?:[a-z]*|\d*)$/i.test(secret)
  return [{ text: secret, isWord }, ...spelledForms(secret).map(partNeedle)]
}

function partNeedle(text: string): Needle {
  return { text, isWord: false }
}

/** Adds the characters at either end that encode a part of the secret and a part of its neighbour, and the padding. */
function withNeighbours(text: string, { start, end }: Range): Range {
  const isBase64 = (index: number): boolean => /[\w+/-]/.test(text.charAt(index))
  let after = isBase64(end) ? end + 1 : end
  while (text.charAt(after) === '=') after += 1
  return { start: isBase64(start - 1) ? start - 1 : start, end: after }
}
