import type { Json, JsonObject } from './json.ts'
import type { Secret } from './secret.ts'
import { base64Forms, hexForms, spelledForms } from './secret-forms.ts'

/** Masks every text in a value, names of members included; the same value if there is nothing to mask. */
export type Mask = <T>(value: T) => T

/** Shorter secrets are words that occur everywhere: masking them would garble events and hide nothing. */
const MIN_CHARS = 4

/**
 * Makes the function that keeps a program's own secrets out of events, in the clear and in the encodings in which they
 * are often repeated. It has to see texts before they are cut, so that no half of a secret is left. Linear in the text.
 */
export function createMask(secrets: readonly Secret[]): Mask {
  const masks = secrets
    .filter((secret) => secret.reveal().length >= MIN_CHARS)
    .flatMap((secret) => formsOf(secret.reveal()).map((form) => ({ form, masked: secret.masked() })))
    .toSorted((a, b) => b.form.length - a.form.length) // a part must not hide the whole
  const maskText = (text: string): string =>
    masks.reduce(
      (rest, { form, masked }) => (rest.includes(form) ? rest.replaceAll(form, masked) : rest),
      text,
    )
  return masks.length === 0 ? (value) => value : (value) => maskValue(value, maskText) as typeof value
}

function formsOf(value: string): string[] {
  const forms = [value, ...spelledForms(value), ...base64Forms(value), ...hexForms(value)]
  return forms.filter((form) => form.length >= MIN_CHARS)
}

function maskValue(value: unknown, maskText: (text: string) => string): unknown {
  if (typeof value === 'string') return maskText(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => maskValue(item, maskText))
    return items.every((item, index) => item === value[index]) ? value : items
  }
  const entries = Object.entries(value)
  const masked = entries.map(([name, item]) => [maskText(name), maskValue(item, maskText)] as const)
  const isSame = masked.every(
    ([name, item], index) => name === entries[index]?.[0] && item === entries[index][1],
  )
  return isSame ? value : Object.fromEntries(masked)
}

/** Members that hold the routing key: in Events API v2, and in v1. */
export const KEY_MEMBERS = ['routing_key', 'service_key'] as const

/** Masks the members of an event as others wrote it, all but the routing key, which is split off later. */
export function maskMembers(members: JsonObject, mask: Mask): JsonObject {
  const isKey = ([name]: [string, Json]): boolean => KEY_MEMBERS.some((known) => known === name)
  const entries = Object.entries(members)
  const masked = mask(Object.fromEntries(entries.filter((entry) => !isKey(entry))))
  return { ...masked, ...Object.fromEntries(entries.filter(isKey)) }
}

/**
 * The same for members that were parsed from a text, which is checked as a whole: a string without an escape is in the text
 * as it is.
 */
export function maskParsed(members: JsonObject, text: string, mask: Mask): JsonObject {
  return !text.includes('\\') && mask(text) === text ? members : maskMembers(members, mask)
}
