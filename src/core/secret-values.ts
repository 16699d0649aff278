import { isHarmless, isNumber, isRandom } from './secret-looks.ts'
import { findSecretShapes } from './secret-shapes.ts'
import { urlPasswords } from './url-credentials.ts'

/** Names of variables whose values are taken for secrets, wherever in the name the word stands. */
const SECRET_NAME =
  /token|secret|passw|passphrase|passcode|credential|webhook|conn(?:ection)?_?str|kubeconfig|docker_?config|docker_?auth|(?:api|access|private|account|signing|encryption|master|ssh|deploy|license)_?key/i
/** Words that count only if they are a whole part of the name: `DB_PASS` and `AUTH_HEADER`, but not `COMPASS` and `AUTHOR`. */
const SECRET_WORDS: ReadonlySet<string> = new Set(
  'auth cookie cred creds dsn jwt key keys otp pass pat pgpass pin pw pwd salt sas signature'.split(' '),
)
/** Ends of names whose values only describe a secret. */
const DESCRIPTION =
  /_(?:alg|algorithm|count|dir|enabled|file|length|method|mode|name|path|policy|provider|size|sock|ttl|type|version)$/i
const PASSWORD_NAME = /pass|pwd|pin|otp|secret/i
const WEBHOOK_NAME = /webhook|dsn/i

/** Shortest text that is a secret, in UTF-16 units. */
const MIN_CHARS = 4
/** From here on letters alone can be a secret, too. */
const MIN_LETTERS = 8
/** Longest Base64 that is looked into, in UTF-16 units. */
const MAX_ENCODED_CHARS = 64 * 1024

/**
 * The values of an environment that must not be shown: those of variables with secret-like names, whole, line by line and
 * by their parts that look random; and under any name passwords in URLs and whatever has the shape of a secret.
 */
export function secretValues(env: Readonly<Record<string, string | undefined>>): string[] {
  const values = new Set<string>()
  for (const [name, value = ''] of Object.entries(env)) {
    const text = value.trim()
    const parts = isSecretName(name) ? partsOf(text, name) : []
    for (const part of [...parts, ...shapesIn(text)]) if (isMaskable(part)) values.add(part)
  }
  return [...values]
}

/** Whether the value of a variable of that name is taken for a secret. */
export function isSecretName(name: string): boolean {
  if (DESCRIPTION.test(name)) return false
  if (SECRET_NAME.test(name)) return true
  const words = name
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  return words.some(
    (word) => SECRET_WORDS.has(word) || /^(?!bypass|compass)[a-z]{2,10}(?:pass|pwd)$/.test(word),
  )
}

/** What is secret in the value of a variable with a secret-like name. */
function partsOf(text: string, name: string): string[] {
  if (isNumber(text)) return PASSWORD_NAME.test(name) && text.length >= MIN_CHARS ? [text] : []
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text))
    return WEBHOOK_NAME.test(name) ? [text, ...text.split(/[/?&=#@]/).filter(isToken)] : randomParts(text)
  const lines = text.split(/[\r\n]+/).map((line) => line.trim())
  const whole = lines.length > 1 ? [text, ...lines.filter((line) => /^[^\s:]+$/.test(line))] : [text]
  const password = /^[^\s:/]{1,64}:(\S+)$/.exec(text)?.[1]
  return [
    ...whole,
    ...(password === undefined ? [] : [password]),
    ...randomParts(text),
    ...decodedParts(text),
  ]
}

/** Words that look random, in what has structure: JSON, YAML, a connection string. */
function randomParts(text: string): string[] {
  return text.split(/[\s"'`,;:=(){}[\]<>|&?@]+|\\n/).filter(isRandom)
}

function isToken(text: string): boolean {
  return text.length >= MIN_LETTERS && /\d/.test(text)
}

/** The parts of what is Base64 of a printable text, such as `user:password` or a whole file. */
function decodedParts(text: string): string[] {
  if (text.length > MAX_ENCODED_CHARS || !/^[A-Za-z0-9+/]{12,}={0,2}$/.test(text)) return []
  const decoded = Buffer.from(text, 'base64').toString().trim()
  if (!/^[\t\n\r -~]+$/.test(decoded)) return []
  const password = /^[^\s:]{1,64}:(\S+)$/.exec(decoded)?.[1]
  return [
    decoded,
    ...(password === undefined ? [] : [password]),
    ...randomParts(decoded),
    ...shapesIn(decoded),
  ]
}

function shapesIn(text: string): string[] {
  const shapes = findSecretShapes(text).map(({ start, end }) => text.slice(start, end))
  return [...shapes.filter((shape) => !/^[^\s:]*:[^\s]*$/.test(shape)), ...urlPasswords(text)]
}

/** Whether masking a value hides a secret and not half of the text. */
function isMaskable(text: string): boolean {
  if (text.length < MIN_CHARS || isHarmless(text)) return false
  return text.length >= MIN_LETTERS || !/^[a-z]*$/i.test(text)
}
