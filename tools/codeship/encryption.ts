import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { Failure } from '../../src/core/failure.ts'

/*
 * Version 1 of Codeship's encrypted files: base64 of a random initialization vector and the ciphertext, without
 * padding, header or checksum. Version 2 begins with a line `codeship:v2`; how its checksum is computed was never
 * published. Codeship and its `jet` read both.
 */

const CIPHER = 'aes-256-cfb'
const KEY_BYTES = 32
const IV_BYTES = 16
const V2_HEADER = 'codeship:v2'

/** A key for encrypting files. */
export type EncryptionKey = Buffer & { readonly brand: 'EncryptionKey' }

/**
 * Reads the content of `codeship.aes`: 32 bytes in base64.
 * @param file its name, for messages
 * @throws Failure of kind `config`
 */
export function parseEncryptionKey(file: string, text: string): EncryptionKey {
  const bytes = decodeBase64(text)
  if (bytes?.length !== KEY_BYTES)
    throw new Failure(
      'config',
      `${file}: is not an AES key, which is ${KEY_BYTES} bytes in base64 (44 characters)`,
    )
  return bytes as EncryptionKey
}

/**
 * Encrypts a file, for Codeship or `jet` to decrypt.
 * @param iv 16 bytes that no other file of this key begins with
 */
export function encrypt(
  plaintext: Uint8Array,
  key: EncryptionKey,
  iv: Uint8Array = randomBytes(IV_BYTES),
): string {
  const cipher = createCipheriv(CIPHER, key, iv)
  return Buffer.concat([iv, cipher.update(plaintext), cipher.final()]).toString('base64')
}

/**
 * Decrypts a file of version 1. The format has no checksum, so a wrong key gives noise, not an error.
 * @param file its name, for messages
 * @throws Failure of kind `config` for anything else
 */
export function decrypt(file: string, text: string, key: EncryptionKey): Buffer {
  if (text.trimStart().startsWith(V2_HEADER))
    throw new Failure('config', `${file}: is in version 2 of Codeship's format, which only jet can decrypt`)
  const bytes = decodeBase64(text)
  if (bytes === undefined || bytes.length < IV_BYTES)
    throw new Failure('config', `${file}: is not a file that Codeship or this program has encrypted`)
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES))
  return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES)), decipher.final()])
}

/**
 * Decrypts a text file.
 * @throws Failure of kind `config`, even if the result is not text, because then the key is wrong
 */
export function decryptText(file: string, text: string, key: EncryptionKey): string {
  const bytes = decrypt(file, text, key)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Failure('config', `${file}: does not decrypt to text; it was encrypted with another key`)
  }
}

/** The bytes, or undefined if the text is not base64. White space is ignored. */
function decodeBase64(text: string): Buffer | undefined {
  const compact = text.replaceAll(/\s/g, '')
  const isBase64 = compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact)
  return isBase64 ? Buffer.from(compact, 'base64') : undefined
}
