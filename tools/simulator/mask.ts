const KEY_FIELD = /("routing_key"\s*:\s*)(?:"([^"]*)"?|([^\s,}]+))/g
/** Also hides an MD5 digest or a UUID without dashes, which is better than showing a key. */
const WELL_FORMED_KEY = /(?<![A-Za-z0-9])[A-Za-z0-9]{32}(?![A-Za-z0-9])/g
const SECRET_NAMES = new Set(['routing_key', 'routingKey', 'authorization', 'x-routing-key'])

/** The last four characters of a key; nothing of a short one. */
export function maskKey(key: string): string {
  return key.length > 8 ? `…${key.slice(-4)}` : '…'
}

/** A text with every routing key in it masked: those in a `routing_key` field, JSON or not, and all well-formed ones. */
export function maskKeys(text: string): string {
  return text
    .replaceAll(
      KEY_FIELD,
      (_, lead: string, quoted?: string, bare?: string) => `${lead}"${maskKey(quoted ?? bare ?? '')}"`,
    )
    .replaceAll(WELL_FORMED_KEY, maskKey)
}

/** JSON with every key masked, both in key fields and inside texts. */
export function toMaskedJson(value: unknown): string {
  return JSON.stringify(value, (name, member: unknown) => {
    if (SECRET_NAMES.has(name)) return maskKey(String(member))
    return typeof member === 'string' ? maskKeys(member) : member
  })
}
