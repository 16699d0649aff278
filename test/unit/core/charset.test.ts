import assert from 'node:assert/strict'
import { test } from 'node:test'
import { charsetOf, decodeText } from '../../../src/core/charset.ts'

const DECLARED: [string | undefined, string | undefined][] = [
  [undefined, undefined],
  ['application/json', undefined],
  ['application/json; charset=utf-8', 'utf-8'],
  ['application/json;CHARSET="ISO-8859-1"', 'iso-8859-1'],
  ['application/json; profile=x ; charset = UTF-16 ; q=1', 'utf-16'],
]
for (const [contentType, expected] of DECLARED) {
  test(`${contentType} declares ${expected}`, () => assert.equal(charsetOf(contentType), expected))
}

const TEXT = 'Größe: 5 €'
const utf16be = Buffer.from(TEXT, 'utf16le').swap16()
const windows1252 = Buffer.from('Gr\u00f6\u00dfe: 5 \u0080', 'latin1')

const DECODED: [string, Buffer, string | undefined][] = [
  ['UTF-8', Buffer.from(TEXT), undefined],
  ['declared UTF-8', Buffer.from(TEXT), 'utf-8'],
  ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${TEXT}`), undefined],
  ['Windows-1252', windows1252, 'windows-1252'],
  ['ISO-8859-1, which is Windows-1252 on the web', windows1252, 'iso-8859-1'],
  ['UTF-16', Buffer.from(TEXT, 'utf16le'), 'utf-16'],
  [
    'UTF-16 with a byte order mark, big-endian',
    Buffer.concat([Buffer.from([0xfe, 0xff]), utf16be]),
    'utf-16',
  ],
  ['UTF-16 with a byte order mark and no word of it', Buffer.from(`\uFEFF${TEXT}`, 'utf16le'), undefined],
]
for (const [what, bytes, charset] of DECODED) {
  test(`${what} is decoded`, () => assert.equal(decodeText(bytes, charset), TEXT))
}

test('an unknown charset is reported', () => {
  assert.equal(decodeText(Buffer.from('a'), 'utf-32'), undefined)
  assert.equal(decodeText(Buffer.from('a'), '../../etc'), undefined)
})
