import { crc32 } from 'node:zlib'
import type { Event } from '../core/event.ts'
import type { SpoolKey } from './spool.ts'

/**
 * CRC-32 of what must not be altered by a failing disk: whose key an event goes out with, which endpoint takes it, and its
 * content. SQLite's own checks look at its structure, and not at what is in it.
 */
export function checksumOf(key: SpoolKey, kind: Event['kind'], body: string): number {
  return crc32(body, crc32(`${kind} ${key.kind} ${keyText(key)}`))
}

/** What a key is stored as. */
export function keyText(key: SpoolKey): string {
  return key.kind === 'own' ? key.key.reveal() : key.name
}
