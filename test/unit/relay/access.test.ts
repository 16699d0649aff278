import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import { createSecret } from '../../../src/core/secret.ts'
import { createAccess, createTokenCheck, SESSION_COOKIE, SESSION_SECONDS } from '../../../src/relay/access.ts'

const isAuthorized = createTokenCheck(createSecret('s3cret'))

for (const header of ['Bearer s3cret', 'bearer  s3cret', 'BEARER s3cret ']) {
  test(`"${header}" is let in`, () => assert.equal(isAuthorized(header), true))
}
for (const header of [
  undefined,
  '',
  'Bearer',
  'Bearer ',
  's3cret',
  'Bearer s3cre',
  'Bearer s3crets',
  'Bearer s3cret x',
]) {
  test(`${JSON.stringify(header)} is not`, () => assert.equal(isAuthorized(header), false))
}

test('whatever is presented, one comparison in constant time of equally many bytes decides', (t) => {
  const compare = t.mock.method(crypto, 'timingSafeEqual')
  syncBuiltinESMExports() // so that named imports see it
  t.after(() => {
    compare.mock.restore()
    syncBuiltinESMExports()
  })
  for (const header of [undefined, 'Bearer s3cret', 'Bearer s', `Bearer ${'x'.repeat(5000)}`])
    isAuthorized(header)
  const lengths = compare.mock.calls.map(({ arguments: [a, b] }) => [a.byteLength, b.byteLength])
  assert.deepEqual(lengths, [
    [32, 32],
    [32, 32],
    [32, 32],
    [32, 32],
  ])
})

const token = createSecret('s3cret')
const viewToken = createSecret('look')
const START_MS = 1_000_000_000_000

test('somebody who logs in has the scope of the token that was typed, for twelve hours', () => {
  let nowMs = START_MS
  const access = createAccess({ token, viewToken }, () => nowMs)
  for (const [typed, scope] of [
    ['s3cret', 'act'],
    ['look', 'view'],
  ] as const) {
    nowMs = START_MS
    const headers = { cookie: `other=1; ${SESSION_COOKIE}=${access.logIn(typed)}; more=2` }
    assert.equal(access.bySession(headers), scope)
    nowMs += SESSION_SECONDS * 1000 - 1
    assert.equal(access.bySession(headers), scope)
    nowMs += 1
    assert.equal(access.bySession(headers), undefined)
  }
  assert.equal(access.logIn('wrong'), undefined)
})

test('a session ends when the token changes, and is known to every relay that has the token', () => {
  const cookie = `${SESSION_COOKIE}=${createAccess({ token }, () => START_MS).logIn('s3cret')}`
  const other = (secret: string): ReturnType<typeof createAccess> =>
    createAccess({ token: createSecret(secret) }, () => START_MS)
  assert.equal(other('s3cret').bySession({ cookie }), 'act')
  assert.equal(other('rotated').bySession({ cookie }), undefined)
})

test('neither the scope nor the end of a session can be altered', () => {
  const access = createAccess({ token, viewToken }, () => START_MS)
  const [expiry = '', scope = '', signature = ''] = access.logIn('look')?.split('.') ?? []
  for (const value of [
    `${expiry}.act.${signature}`,
    `${Number(expiry) + 1}.${scope}.${signature}`,
    `${expiry}.${scope}.${signature.slice(0, -1)}`,
    `${expiry}.${scope}.`,
    `NaN.${scope}.${signature}`,
    '',
  ])
    assert.equal(access.bySession({ cookie: `${SESSION_COOKIE}=${value}` }), undefined, value)
})

test('a relay without a token lets everybody act, and nobody log in', () => {
  const access = createAccess({}, () => START_MS)
  assert.deepEqual([access.byToken({}), access.logIn('')], ['act', undefined])
})
