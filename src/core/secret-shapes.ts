import type { Range } from './ranges.ts'
import { findAssignments } from './secret-shapes/assignments.ts'
import { findPemBlocks } from './secret-shapes/pem.ts'
import { PLACES, type Place } from './secret-shapes/places.ts'
import { TOKEN_SHAPES } from './secret-shapes/tokens.ts'
import { findSourceCredentials, findUrlCredentials } from './url-credentials.ts'

/** Where a word begins, including after an escape such as `%3D` or `\n`. */
const WORD_START = String.raw`(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt]))`
const TOKEN = new RegExp(`${WORD_START}(?:${TOKEN_SHAPES.map(({ source }) => source).join('|')})`, 'g')

/** Everything in a text with the shape of a secret, known to us or not. Linear in the length of the text. */
export function findSecretShapes(text: string): Range[] {
  const tokens = [...text.matchAll(TOKEN)].map(({ 0: token, index }) => ({
    start: index,
    end: index + token.length,
  }))
  return [
    ...tokens,
    ...findPemBlocks(text),
    ...findUrlCredentials(text),
    ...findSourceCredentials(text),
    ...findAssignments(text),
    ...PLACES.flatMap((place) => findInPlace(text, place)),
  ]
}

function findInPlace(text: string, { find, isSecret }: Place): Range[] {
  return [...text.matchAll(find)].flatMap(({ 1: before = '', 2: secret = '', index }) => {
    if (isSecret?.(secret, before) === false) return []
    const start = index + before.length
    return [{ start, end: start + secret.length }]
  })
}
