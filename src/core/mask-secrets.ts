import { base64Forms, hexForms, spelledForms } from './secret-forms.ts'
import type { Secret } from './secret.ts'

/** Shortest beginning of a secret that is masked if a text breaks off in the middle of it. */
const MIN_CUT_CHARS = 4

/** Shortest secret that is looked for in Base64 and hexadecimal, in UTF-16 units. */
const MIN_ENCODED_CHARS = 6

/**
 * Replaces every secret that occurs in a text by its masked form. For texts from others, which may repeat what they were
 * sent, in one of the usual encodings or cut off in the middle.
 */
export function maskSecrets(text: string, secrets: readonly Secret[]): string {
  const masks = secrets
    .flatMap((secret) => formsOf(secret).map((form) => ({ form, mask: secret.masked() })))
    .toSorted((a, b) => b.form.length - a.form.length) // a part must not hide the whole
  const masked = masks.reduce((rest, { form, mask }) => rest.replaceAll(form, mask), text)
  return masks.reduce((rest, { form }) => withoutCutEnd(rest, form), masked)
}

/** The forms of a secret, by the secret: those of the program's own secrets are needed for every answer. */
const knownForms = new WeakMap<Secret, readonly string[]>()

function formsOf(secret: Secret): readonly string[] {
  const known = knownForms.get(secret)
  if (known !== undefined) return known
  const value = secret.reveal()
  const encoded = value.length < MIN_ENCODED_CHARS ? [] : [...base64Forms(value), ...hexForms(value)]
  const forms = [value, ...spelledForms(value), ...encoded].filter((form) => form !== '')
  knownForms.set(secret, forms)
  return forms
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
