/** What stands where something secret stood. */
const MASK = '[masked]'

/** Names of variables whose values are taken for secrets. */
const SECRET_NAME = /token|secret|key|passw|passphrase|credential|_(?:pass|pwd|auth)$/i
/** The password in a URL, which a program may print by itself: `postgres://app:…@db/shop`. */
const URL_PASSWORD = /^[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/?#@:]*:([^\s/?#@]+)@/i
/** Values that are too short or too common to be a secret; masking them would only garble the text. */
const MIN_SECRET_CHARS = 4
const COMMON = /^(true|false|none|null|undefined|default|enabled|disabled|production|staging)$/i

/** The end of a name such as `DB_PASSWORD` or `api-key`. Every repetition is bounded: hostile text must not cost time. */
const SECRET_WORD =
  '(?:token|secret|passwd|password|credentials?|api[_-]?key|access[_-]?key|private[_-]?key)\\w{0,40}'

/** Shapes of secrets that are masked whatever they belong to. The first group, if any, is kept. */
const SHAPES: readonly RegExp[] = [
  // PEM blocks, also cut off at either end
  /-----BEGIN [A-Z0-9 ]*(?:PRIVATE KEY|CERTIFICATE|MESSAGE)[A-Z0-9 ]*-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g,
  /^[\s\S]*?-----END [A-Z0-9 ]*PRIVATE KEY[A-Z0-9 ]*-----/g,
  // user:password@ in URLs
  /(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#@'"]+@/gi,
  // Authorization: Bearer …, "authorization": "Basic …", X-Api-Key: …
  /((?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:(?:bearer|basic|token|digest|negotiate)\s+)?[^\s"',;]+(?:=[^\s"',;]+)?/gi,
  /\b((?:bearer|basic)\s+)[\w+/=.~-]{8,}/gi,
  // AWS access key ids
  /\b(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA|ABIA|ACCA)[A-Z0-9]{16}\b/g,
  // tokens that say what they are: GitHub, GitLab, Slack, JSON Web Tokens
  /\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{10,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)/g,
  // password=…, "api_key": "…"
  new RegExp(`(${SECRET_WORD}["']?\\s*[:=]\\s*["']?)(?!\\[masked\\])[^\\s"',;&]+`, 'gi'),
  // curl -u name:password
  /((?:^|\s)(?:-u|--(?:proxy-)?user)[\s=]+["']?[^\s"':]{1,60}:)[^\s"']+/g,
  // --token …
  new RegExp(`(--[\\w-]{0,40}?${SECRET_WORD}\\s+["']?)(?!\\[masked\\])[^\\s"',;&]+`, 'gi'),
]

/**
 * The values of an environment that must not be shown: those of variables with secret-like names and passwords in URLs,
 * whole, line by line, and in the encodings in which they are often printed. Longest first, so that a part never hides the whole.
 */
export function secretValues(env: Readonly<Record<string, string | undefined>>): string[] {
  const values = new Set<string>()
  for (const [name, value = ''] of Object.entries(env)) {
    const secret = SECRET_NAME.test(name) ? value : (URL_PASSWORD.exec(value)?.[1] ?? '')
    for (const part of [secret, ...secret.split(/\r?\n/)].map((text) => text.trim())) {
      if (part.length < MIN_SECRET_CHARS || COMMON.test(part)) continue
      const encodings = [part, encodeURIComponent(part.toWellFormed()), JSON.stringify(part).slice(1, -1)]
      for (const text of [...encodings, Buffer.from(part).toString('base64')]) values.add(text)
    }
  }
  return [...values].toSorted((a, b) => b.length - a.length)
}

/** A text without the given secrets and without whatever has the shape of one. */
export function maskOutput(text: string, secrets: readonly string[]): string {
  const known = secrets.reduce((masked, secret) => masked.replaceAll(secret, MASK), text)
  return SHAPES.reduce(
    (masked, shape) =>
      masked.replaceAll(shape, (_, kept: unknown) => (typeof kept === 'string' ? kept : '') + MASK),
    known,
  )
}

/* oxlint-disable no-control-regex -- control characters are what these two look for */
// CSI, OSC (ended by BEL or ST) and the other escape sequences of ECMA-48; then what is left of control characters.
const ESCAPE_SEQUENCE =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[PX^_][^\u001b]*\u001b\\|[ -/]*[0-~])/g
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** A text without terminal escape sequences and control characters; tabs and line ends stay. */
export function stripControls(text: string): string {
  return text.replaceAll(ESCAPE_SEQUENCE, '').replaceAll(CONTROL, '')
}
