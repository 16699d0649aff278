import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'node:test'
import { createSecret, type Secret } from '../../../src/core/secret.ts'
import { createSeal } from '../../../src/fleet/seal.ts'
import { ownKey } from '../../support/spool.ts'

const SECRET = createSecret('a secret of more than thirty-two characters')
const OTHER = createSecret('another secret of more than thirty-two characters')
const seal = createSeal({ secret: SECRET })
const other = createSeal({ secret: OTHER })
const plain = createSeal({})

test('any text comes back as it was, encrypted or not', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, place) => {
      for (const one of [seal, plain]) assert.equal(one.open(one.close(text, place), place), text)
    }),
  )
})

test('an encrypted text differs each time, and shows nothing of what it says', () => {
  const [one, again] = [seal.close('the same text', 'place'), seal.close('the same text', 'place')]
  assert.notDeepEqual(one, again)
  assert.ok(!one.includes('the same text') && !one.includes('place'))
})

test('a text that was altered, cut, moved or encrypted with another secret is not read', () => {
  const sealed = seal.close('text', 'here')
  for (let index = 0; index < sealed.length; index++) {
    const altered = Buffer.from(sealed)
    altered.writeUInt8(sealed.readUInt8(index) ^ 2, index)
    assert.equal(seal.open(altered, 'here'), undefined, `byte ${index}`)
  }
  for (const bytes of [0, 1, 20, sealed.length - 1])
    assert.equal(seal.open(sealed.subarray(0, bytes), 'here'), undefined, `${bytes} bytes`)
  assert.equal(seal.open(sealed, 'there'), undefined)
  assert.equal(other.open(sealed, 'here'), undefined)
  assert.equal(plain.open(sealed, 'here'), undefined)
})

test('what was stored before there was a secret is still read', () => {
  assert.equal(seal.open(plain.close('text', 'here'), 'here'), 'text')
})

test('a caller’s key has the same name at every relay, and is stored encrypted or not at all', () => {
  const key = ownKey()
  assert.ok(key.kind === 'own')
  const stored = seal.closeKey(key)
  assert.equal(seal.closeKey(key).name, stored.name)
  assert.notEqual(other.closeKey(key).name, stored.name)
  assert.ok(!stored.name.includes(key.key.reveal()) && !stored.secret?.includes(key.key.reveal()))
  const opened = seal.openKey(stored.name, stored.secret)
  assert.ok(opened.kind === 'own' && opened.key.reveal() === key.key.reveal())
  assert.throws(() => plain.closeKey(key))
  assert.deepEqual(other.openKey(stored.name, stored.secret), { kind: 'configured', name: stored.name })
  assert.deepEqual(seal.closeKey({ kind: 'configured', name: 'web' }), { name: 'web', secret: null })
})

test('a mark tells secrets apart without giving them away', () => {
  assert.equal(plain.mark, null)
  assert.equal(seal.mark?.length, 16)
  assert.notDeepEqual(seal.mark, other.mark)
})

test('while the secret is changed, relays read with both secrets and write with the first', () => {
  const [before, after] = [
    createSeal({ secret: SECRET, otherSecret: OTHER }),
    createSeal({ secret: OTHER, otherSecret: SECRET }),
  ]
  for (const writer of [before, after])
    for (const reader of [before, after])
      assert.equal(reader.open(writer.close('text', 'here'), 'here'), 'text')
  assert.equal(seal.open(before.close('text', 'here'), 'here'), 'text')
  assert.equal(seal.open(after.close('text', 'here'), 'here'), undefined)
  assert.deepEqual([before.mark, before.otherMark], [seal.mark, other.mark])
  assert.deepEqual([after.mark, after.otherMark], [other.mark, seal.mark])
})

test('marks of keys tell them apart for those who have the secret, and nothing to others', () => {
  const [key, another] = ['a'.repeat(32), 'b'.repeat(32)].map((text) => createSecret(text)) as [
    Secret,
    Secret,
  ]
  assert.deepEqual(seal.markKey(key), createSeal({ secret: SECRET }).markKey(key))
  assert.notDeepEqual(seal.markKey(key), seal.markKey(another))
  assert.notDeepEqual(seal.markKey(key), other.markKey(key))
  assert.equal(plain.markKey(key), null)
  const { name } = seal.closeKey({ kind: 'own', key })
  assert.ok(!name.includes(seal.markKey(key)?.toString('hex') ?? ''), 'not the name of a caller’s own key')
})
