/** Maximum of fields in a form; `/success` and `/failure` have seven, and only `links` may be repeated. */
const MAX_FIELDS = 1000

/** The members of a form, or why it is not accepted. */
export type Form =
  | { readonly members: Readonly<Record<string, string | readonly string[]>> }
  | { readonly problem: string }

/**
 * Reads `application/x-www-form-urlencoded` text. A repeated name becomes a list. The fields are counted before they are
 * decoded, and collected in one pass, so the cost is linear in the length.
 * @param decode for a form whose charset is not UTF-8; the text is then its bytes as Latin-1
 */
export function parseForm(text: string, decode?: (bytes: Buffer) => string): Form {
  let fields = 1
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1)) {
    fields += 1
    if (fields > MAX_FIELDS) return { problem: `the form has more than ${MAX_FIELDS} fields` }
  }
  const values = new Map<string, string[]>()
  for (const [name, value] of decode === undefined ? new URLSearchParams(text) : readPairs(text, decode)) {
    const earlier = values.get(name)
    if (earlier === undefined) values.set(name, [value])
    else earlier.push(value)
  }
  const members = [...values].map(([name, all]) => [name, all.length === 1 ? all[0] : all] as const)
  return { members: Object.fromEntries(members) as Record<string, string | string[]> }
}

/** A byte written as `%XX`. */
const ESCAPED_BYTE = /%([0-9a-f]{2})/gi

function readPairs(text: string, decode: (bytes: Buffer) => string): [string, string][] {
  const read = (part: string): string => {
    const bytes = part
      .replaceAll('+', ' ')
      .replaceAll(ESCAPED_BYTE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    return decode(Buffer.from(bytes, 'latin1'))
  }
  const pairs = text.split('&').filter((pair) => pair !== '')
  return pairs.map((pair) => {
    const equals = pair.includes('=') ? pair.indexOf('=') : pair.length
    return [read(pair.slice(0, equals)), read(pair.slice(equals + 1))]
  })
}
