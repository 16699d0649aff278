import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { decodeBody } from '../../../src/delivery/decode-body.ts'

const TEXT = '{"message":"Überlast"}'
const MAX_BYTES = 64 * 1024

const CODINGS: readonly [name: string, encoding: string | undefined, bytes: Buffer][] = [
  ['none', undefined, Buffer.from(TEXT)],
  ['none, said so', 'identity', Buffer.from(TEXT)],
  ['gzip', 'gzip', gzipSync(TEXT)],
  ['gzip by its old name and in capitals', 'X-GZIP', gzipSync(TEXT)],
  ['gzip that is not announced', undefined, gzipSync(TEXT)],
  ['deflate', 'deflate', deflateSync(TEXT)],
  ['deflate without a frame', 'deflate', deflateRawSync(TEXT)],
  ['brotli', 'br', brotliCompressSync(TEXT)],
  ['zstd', 'zstd', zstdCompressSync(TEXT)],
  ['two on one another', 'gzip, br', brotliCompressSync(gzipSync(TEXT))],
]
for (const [name, encoding, bytes] of CODINGS) {
  test(`a body is read as text, compressed with ${name}`, () =>
    assert.deepEqual(decodeBody(bytes, { encoding }, MAX_BYTES), { body: TEXT }))
}

test('a compressed body that is cut off is read as far as it arrived', () => {
  const long = Array.from({ length: 2000 }, (_, number) => `line ${number}`).join('\n')
  for (const [encoding, bytes] of [
    ['gzip', gzipSync(long)],
    ['deflate', deflateSync(long)],
    ['br', brotliCompressSync(long)],
  ] as const) {
    const { body } = decodeBody(bytes.subarray(0, bytes.length / 2), { encoding }, MAX_BYTES)
    assert.ok(body.length > 100 && long.startsWith(body), encoding)
  }
})

const UNREADABLE: readonly [name: string, encoding: string, bytes: Buffer][] = [
  ['a coding that is not known', 'compress', Buffer.from([0x1f, 0x9d, 0x90])],
  ['bytes that are not what they are said to be', 'br', Buffer.from('<html>\xe4', 'latin1')],
  ['more codings than make sense', 'gzip, gzip, gzip, gzip', gzipSync('x')],
  ['one that unpacks to far more than is read', 'gzip', gzipSync(Buffer.alloc(64 * 1024 * 1024))],
]
for (const [name, encoding, bytes] of UNREADABLE) {
  test(`a body that cannot be read is described: ${name}`, () => {
    const { body, unreadable = '' } = decodeBody(bytes, { encoding }, MAX_BYTES)
    assert.equal(body, '')
    assert.match(unreadable, /^its body is compressed \(.+\) and cannot be read$/)
  })
}

test('a body is read in its declared character set, or in UTF-8', () => {
  const latin1 = Buffer.from('gr\xfcn', 'latin1')
  const read = (contentType: string): string => decodeBody(latin1, { contentType }, MAX_BYTES).body
  assert.equal(read('text/plain; charset=iso-8859-1'), 'grün')
  assert.equal(read('text/plain; Charset="ISO-8859-1"'), 'grün')
  assert.equal(read('text/plain; charset=nonsense'), 'gr\ufffdn')
  assert.equal(read('text/plain'), 'gr\ufffdn')
})

test('a byte order mark says how a body is encoded, and does not belong to it', () => {
  const utf16 = Buffer.from(`\uFEFF${TEXT}`, 'utf16le')
  for (const bytes of [Buffer.from(`\uFEFF${TEXT}`), utf16, Buffer.from(utf16).swap16(), gzipSync(utf16)])
    assert.equal(decodeBody(bytes, { contentType: 'application/json' }, MAX_BYTES).body, TEXT)
})

test('text that is not compressed, although the server says so, is read as it is', () => {
  for (const encoding of ['gzip', 'br', 'zstd', 'compress'])
    assert.deepEqual(decodeBody(Buffer.from(TEXT), { encoding }, MAX_BYTES), { body: TEXT }, encoding)
})

test('a decompressed body is cut to the requested size', () =>
  assert.equal(decodeBody(gzipSync('x'.repeat(500_000)), { encoding: 'gzip' }, 100).body.length, 100))
