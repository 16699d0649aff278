import type { Secret } from './secret.ts'

/**
 * Replaces every secret that occurs in a text by its masked form. For texts of others, which may echo what they were
 * sent: a server's reply, an error of a library.
 */
export function maskSecrets(text: string, secrets: readonly Secret[]): string {
  return secrets.reduce((masked, secret) => masked.replaceAll(secret.reveal(), secret.masked()), text)
}

/** One line of printable text out of anything: control characters and runs of white space become one space. */
export function oneLine(text: string): string {
  // `\p{Cc}` is C0, DEL and C1; the rest are the bidirectional overrides, which can disguise a line.
  return text.replaceAll(/[\s\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim()
}
