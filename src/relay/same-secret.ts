import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * True if two texts are the same. How long it takes depends on neither: digests of equal length are compared, so that not
 * even a secret's length shows.
 */
export function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other))
}

/** A digest to compare in place of a text. */
export function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
