import { percentDecode } from './percent-decode.ts'
import type { Range } from './ranges.ts'

/** Shortest user name that is taken for a token, in UTF-16 units. */
const MIN_TOKEN_CHARS = 16
/** The mark between scheme and authority, and the authority up to what ends it in a well-formed URL. */
const AUTHORITY = /(?<=[a-z0-9])(:(?:\/\/|\\\/\\\/))([^\s"'`<>/?#\\]*)/gi
/** An authority that begins with `user:` and a password, unless that is a port; servers of the web are often given with one. */
const PASSWORD = /^[^:@[\]]*:(?!\d*$)/
const PASSWORD_OR_PORT = /^[^:@[\]]*:/
const WORD_END = /[\s"'`<>]/g

/**
 * User names and passwords in URLs: all between `://` and `@`. A password may hold `@`, `/`, `?` and `#` that nobody
 * encoded, so it reaches to the last `@` of the word. Without a password the `@` has to be in the authority, since many
 * paths have one.
 */
export function findUrlCredentials(text: string): Range[] {
  const found: Range[] = []
  let wordEnd = 0
  let lastAt = -1
  for (const { 0: whole, 1: mark = '', 2: authority = '', index } of text.matchAll(AUTHORITY)) {
    const start = index + mark.length
    if (start < (found.at(-1)?.end ?? 0)) continue
    if (start >= wordEnd) {
      WORD_END.lastIndex = start
      wordEnd = WORD_END.exec(text)?.index ?? text.length
      lastAt = start + text.slice(start, wordEnd).lastIndexOf('@')
    }
    const isWeb = /https?$/i.test(text.slice(Math.max(0, index - 5), index))
    const hasPassword = (isWeb ? PASSWORD : PASSWORD_OR_PORT).test(authority)
    const end = hasPassword ? lastAt : index + whole.lastIndexOf('@')
    if (end > start) found.push({ start, end })
  }
  return found
}

/** The address in a data source name of Go's MySQL driver, `user:password@tcp(host:3306)/shop`. */
const SOURCE_ADDRESS = /@(?:tcp|udp|unix)\(/g
/** Longest user name and password that are looked for before it, in UTF-16 units. */
const MAX_SOURCE_CHARS = 300

/** User names and passwords before the address of such a name. */
export function findSourceCredentials(text: string): Range[] {
  return [...text.matchAll(SOURCE_ADDRESS)].flatMap(({ index: end }) => {
    const before = text.slice(Math.max(0, end - MAX_SOURCE_CHARS), end)
    const word = before.split(/[\s"'`=]/).at(-1) ?? ''
    return word.includes(':') ? [{ start: end - word.length, end }] : []
  })
}

/** The passwords in URLs, as they are written and decoded; and the user names without one that are as long as a token. */
export function urlPasswords(text: string): string[] {
  return [...findUrlCredentials(text), ...findSourceCredentials(text)].flatMap(({ start, end }) => {
    const credentials = text.slice(start, end)
    const colon = credentials.indexOf(':')
    if (colon === -1) return credentials.length < MIN_TOKEN_CHARS ? [] : [credentials]
    const password = credentials.slice(colon + 1)
    return [password, percentDecode(password)]
  })
}
