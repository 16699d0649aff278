import type { Secret } from './secret.ts'

/** Shortest beginning of a secret that is masked where a text breaks off in the middle of it. */
const MIN_CUT_CHARS = 4

/**
 * Replaces every secret that occurs in a text by its masked form. For texts of others, which may echo what they were
 * sent, in the encodings in which it is often repeated, and may break off in the middle of it.
 */
export function maskSecrets(text: string, secrets: readonly Secret[]): string {
  const masks = secrets
    .flatMap((secret) => secretForms(secret.reveal()).map((form) => ({ form, mask: secret.masked() })))
    .toSorted((a, b) => b.form.length - a.form.length) // a part must not hide the whole
  const masked = masks.reduce((rest, { form, mask }) => rest.replaceAll(form, mask), text)
  return masks.reduce((rest, { form }) => withoutCutEnd(rest, form), masked)
}

/** A secret as it is, percent-encoded, inside JSON, inside HTML, and in both alphabets of Base64. */
function secretForms(value: string): string[] {
  const base64 = Buffer.from(value).toString('base64').replace(/=+$/, '')
  const plain = /^[A-Za-z0-9]+$/.test(value) ? [value] : spelledForms(value)
  return [...new Set([...plain, base64, base64.replaceAll('+', '-').replaceAll('/', '_')])].filter(
    (form) => form !== '',
  )
}

function spelledForms(value: string): string[] {
  return [
    value,
    encodeURIComponent(value.toWellFormed()),
    JSON.stringify(value).slice(1, -1),
    value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  ]
}

function withoutCutEnd(text: string, form: string): string {
  const head = form.slice(0, MIN_CUT_CHARS)
  const from = Math.max(0, text.length - form.length + 1)
  for (let at = text.indexOf(head, from); at >= 0; at = text.indexOf(head, at + 1)) {
    if (form.startsWith(text.slice(at))) return `${text.slice(0, at)}…`
  }
  return text
}

/** One line of printable text out of anything: control characters and runs of white space become one space. */
export function oneLine(text: string): string {
  // `\p{Cc}` is C0, DEL and C1; the rest are the bidirectional overrides, which can disguise a line.
  return text.replaceAll(/[\s\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim()
}
