import { isUtf8 } from 'node:buffer'
import {
  brotliDecompressSync,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
  constants,
} from 'node:zlib'
import { charsetOf, decodeText } from '../core/charset.ts'
import { oneLine } from '../core/mask-secrets.ts'
import type { Answer } from '../core/outcome.ts'

/** Largest decompressed body; a small one can decompress to gigabytes. */
const MAX_UNPACKED_BYTES = 1024 * 1024
/** More nested codings than that are an attack. */
const MAX_CODINGS = 3

/** The first bytes of gzip (RFC 1952, section 2.3.1). No UTF-8 text starts with them. */
const GZIP = Buffer.from([0x1f, 0x8b])

/** A body as text; empty if it cannot be read, with the reason. */
export type DecodedBody = Pick<Answer, 'body' | 'unreadable'>

/** The headers of an answer that describe its body. */
export interface BodyHeaders {
  /** `Content-Encoding`: absent if the body is not compressed, or the server does not say so. */
  readonly encoding?: string | undefined
  readonly contentType?: string | undefined
}

/**
 * Reads a body that a server may have compressed without being asked. If it was cut off, reads what arrived.
 * @param maxBytes  most bytes to decompress, 1 MiB at least
 */
export function decodeBody(
  bytes: Buffer,
  { encoding = '', contentType = '' }: BodyHeaders,
  maxBytes: number,
): DecodedBody {
  const codings = codingsOf(encoding, bytes)
  if (bytes.length === 0 || codings.length === 0) return { body: toText(bytes, contentType) }
  try {
    if (codings.length > MAX_CODINGS) throw new Error('too many codings')
    const maxOutputLength = Math.max(maxBytes, MAX_UNPACKED_BYTES)
    const unpacked = codings.reduceRight((packed, coding) => unpack(packed, coding, maxOutputLength), bytes)
    return { body: toText(unpacked.subarray(0, maxBytes), contentType) }
  } catch {
    if (isUtf8(bytes)) return { body: toText(bytes, contentType) } // it is not compressed, whatever the server says
    const names = oneLine(codings.join(', ')).slice(0, 40)
    return { body: '', unreadable: `its body is compressed (${names}) and cannot be read` }
  }
}

function codingsOf(encoding: string, bytes: Buffer): string[] {
  const named = encoding
    .toLowerCase()
    .split(',', 2 * MAX_CODINGS)
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  return named.length === 0 && bytes.subarray(0, GZIP.length).equals(GZIP) ? ['gzip'] : named
}

/** @throws zlib's errors, or an error if the coding is not known */
function unpack(bytes: Buffer, coding: string, maxOutputLength: number): Buffer {
  const options = { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH }
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return gunzipSync(bytes, options)
    case 'deflate':
      // Some servers omit zlib's header, whose first byte has 8 in its lower half (RFC 1950, section 2.2).
      return ((bytes[0] ?? 0) & 0x0f) === 8 ? inflateSync(bytes, options) : inflateRawSync(bytes, options)
    case 'br':
      return brotliDecompressSync(bytes, { maxOutputLength, finishFlush: constants.BROTLI_OPERATION_FLUSH })
    case 'zstd':
      return zstdDecompressSync(bytes, { maxOutputLength, finishFlush: constants.ZSTD_e_flush })
    default:
      throw new Error(`the coding ${coding} is not known`)
  }
}

/** Decodes text in its declared charset; as UTF-8 if there is none, or Node does not know it. */
function toText(bytes: Buffer, contentType: string): string {
  return decodeText(bytes, charsetOf(contentType)) ?? bytes.toString('utf8')
}
