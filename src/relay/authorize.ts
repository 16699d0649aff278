import { createHash, timingSafeEqual } from 'node:crypto'
import type { Secret } from '../core/secret.ts'

/**
 * A check of `Authorization: Bearer …` that takes the same time whatever is presented: digests of equal length are
 * compared, so that not even the token's length shows.
 */
export function createTokenCheck(token: Secret): (header: string | undefined) => boolean {
  const expected = digest(token.reveal())
  return (header = '') => {
    const presented = /^bearer +(\S+) *$/i.exec(header)?.[1]
    return timingSafeEqual(digest(presented ?? ''), expected) && presented !== undefined
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
