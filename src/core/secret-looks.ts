/** Values that are too common to be a secret; masking them would only garble the text. */
const COMMON: ReadonlySet<string> = new Set(
  (
    'true false none null nil undefined default enabled disabled required optional unset empty missing invalid yes no on off auto ' +
    'production staging development testing preview sandbox local localhost master main develop release ' +
    'bearer basic digest oauth oauth2 token password passwd secret secrets username anonymous changeme example ' +
    'kubernetes postgres postgresql mysql redis vault github gitlab codeship pagerduty admin administrator ' +
    'deploy deployment database keychain plaintext standard public private internal external'
  ).split(' '),
)

/** Marks of a secret that was already hidden, or still has to be filled in. */
const PLACEHOLDER =
  /^(?:\$[\w{(].*|%\w*%|\{\{.*|<[^<>]*>?|[*x.•…#-]+|[[(<]?(?:masked|redacted|hidden|filtered|removed|protected|secure)\b.*|(?:process\.env|os\.environ|env|secrets|var|vars|config|params|inputs|self|this)\..*)$/i

/**
 * Whether a value reveals nothing, whatever its name: a common word, a placeholder, a path, an address without a password.
 */
export function isHarmless(value: string): boolean {
  return COMMON.has(value.toLowerCase()) || PLACEHOLDER.test(value) || isPath(value) || isPlainUrl(value)
}

/** Whether a value is a number, a version or a duration. */
export function isNumber(value: string): boolean {
  return /^[-+v]?\d[\d.,:]*(?:[a-z]{1,2}|%)?$/i.test(value)
}

/** Whether a value could be a word of a sentence. */
export function isPlainWord(value: string): boolean {
  return /^[A-Za-z]?[a-z]*(?:[-'’][a-z]+)*[.,:;!?…]*$/.test(value) || /^[A-Z]+$/.test(value)
}

/** A path without a part that looks random: Base64 may begin with a slash, too. */
function isPath(value: string): boolean {
  return /^(?:~|\.{1,2}|[A-Za-z]:)?[/\\][\w.@+/\\ -]*$/.test(value) && !value.split(/[/\\]/).some(isRandom)
}

/** An address without a recognizable secret. */
function isPlainUrl(value: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^\s@]*$/i.test(value) && !value.split(/[/?#&=]/).some(isRandom)
}

/** Whether a word looks random: long, with digits, and with letters that no hash or host name would have. */
export function isRandom(word: string): boolean {
  if (word.length < MIN_RANDOM_CHARS || !/\d/.test(word) || !/[a-z]/i.test(word)) return false
  return /^[\w+/=~-]+$/.test(word) && !/^[a-z]+(?:[-_][a-z0-9]+)+$/.test(word)
}

/** Shortest word that is recognized by its looks, in UTF-16 units. */
const MIN_RANDOM_CHARS = 16
