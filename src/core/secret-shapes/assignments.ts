import type { Range } from '../ranges.ts'
import { isHarmless, isNumber, isPlainWord } from '../secret-looks.ts'

/** Words by which a name says that its value is secret. Any repetition after them is bounded: hostile text must not cost time. */
const WORD = [
  'passw(?:or)?[dt]',
  'passphrase|passcode',
  '(?<![a-z])(?<!--- )(?:(?:db|my|sql|pg|redis|smtp|ftp|ldap|mail|ssh|user|admin|root|login)_?)?(?:pass|pwd|pw)(?![a-z])',
  String.raw`(?<!\d:)secret(?!smanager)`, // not in the name of an AWS resource
  'token(?!iz)',
  'credentials?|(?<![a-z])creds?(?![a-z])',
  '(?<![a-z])auth(?:key|code|hash|header|data)?(?![a-z])',
  '(?<![a-z])dsn(?![a-z])|conn(?:ection)?_?str(?:ing)?',
  '(?:api|app|access|account|private|secret|shared|signing|encrypt(?:ion)?|crypto|master|storage|license|admin|deploy|webhook|client|consumer|session|hmac|aes|jwt|service|subscription|function|integration|routing|write|push|instrumentation|ingest|rails|django)[_. -]?key',
  '(?<=[?&;])(?:sig|signature|code|key|x-(?:amz|goog)-(?:signature|security-token|credential))',
  '(?<![a-z])(?:salt|cookie|session_?id|otp|totp)(?![a-z])',
].join('|')
/** With as many blanks as in Terraform's plans and other aligned lists. */
const SEPARATOR = String.raw`\\{0,3}["']?\]?(?: is)?[ \t]{0,40}(?:=>|:=|==?|:)[ \t]{0,40}`
/**
 * Quoted to the same quote or the end of the line; else a word, in which `,`, `;` and `&` end a value only if something
 * else follows.
 */
const QUOTED = String.raw`\\{0,3}"(?:[^"\\\n]|\\[^"\n]){0,2000}|'(?:[^'\\\n]|\\[^\n]){0,2000}|\x60[^\x60\n]{0,2000}`
const BARE = String.raw`(?:[^\s"'\x60,;&)\]}<>|]|[,;&](?!\s|$|[\w.-]{1,40}[=:"])|[)\]}<>|](?![\s)\]}"',;]|$)){1,1000}`

const ASSIGNMENT = new RegExp(`(${WORD})([\\w.-]{0,40})(${SEPARATOR})(?:(${QUOTED})|(${BARE}))`, 'gi')

/** Ends of names whose values only describe a secret. */
const DESCRIPTION =
  /(?:^|[_.-]|(?<=[a-z])(?=[A-Z]))(?:age|alg|algorithm|arn|count|dir|enabled|endpoint|expir\w*|field|file|format|helper|index|label|length|limit|max|method|min|mode|name|path|policy|prefix|provider|required|rotation|rules|size|sock|status|strategy|ttl|type|ur[il]|version)$|^s?[_.-]?(?:count|limit|usage|used|per)\w*$/i

/** The values of assignments to secret-like names: `DB_PASS=…`, `"apiKey": "…"`, `--token=…`, `Pwd=…;`. */
export function findAssignments(text: string): Range[] {
  const found: Range[] = []
  ASSIGNMENT.lastIndex = 0
  for (let match = ASSIGNMENT.exec(text); match !== null; match = ASSIGNMENT.exec(text)) {
    const [whole, word = '', rest = '', separator = '', quoted, bare = ''] = match
    const value = quoted ?? bare
    const end = match.index + whole.length
    if (isSecret({ word, rest, separator, quoted, bare }))
      found.push({ start: end - value.replace(/^\\*["'`]/, '').length, end })
    else ASSIGNMENT.lastIndex = end - value.length // the value may be an assignment itself
  }
  return found
}

interface Assignment {
  readonly word: string
  /** What the name has after the word. */
  readonly rest: string
  readonly separator: string
  /** With its opening quote. */
  readonly quoted: string | undefined
  readonly bare: string
}

function isSecret({ word, rest, separator, quoted, bare }: Assignment): boolean {
  const value = quoted?.replace(/^\\*["'`]/, '') ?? bare
  if (value === '' || DESCRIPTION.test(rest) || (/key$/i.test(word) && /^_?id$/i.test(rest))) return false
  if (isHarmless(value) || /^[[{(]+$/.test(value)) return false
  if (isNumber(value)) return /passw|passphrase|passcode|pwd|otp/i.test(word) && rest === ''
  // `token: unexpected` is a sentence.
  return quoted !== undefined || !separator.includes(':') || !isPlainWord(value)
}
