import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../src/core/failure.ts'
import { parseRoutingKeys, takesChanges, tokenKind } from '../../../src/core/routing-key.ts'
import { createSecret } from '../../../src/core/secret.ts'

const KEY = 'someRoutingKeybfa2a710673888f520'
const OTHER = '0123456789abcdef0123456789abcdef'

const KINDS: [string, ReturnType<typeof tokenKind>][] = [
  [KEY, 'routing-key'],
  ['R022XIJR9M266DX570EVE6EXP1AFBN6D', 'routing-key'],
  ['u+abcdefghijklmnopqr', 'rest-token'],
  ['y_NbAkKc66ryYTWUXYEu', 'rest-token'],
  ['abcdefghijklmnopqrst', 'rest-token'],
  ['samplekeyhere', 'unknown'],
]
for (const [token, kind] of KINDS) {
  test(`a token of the shape ${token.slice(0, 2)}… with ${token.length} characters is a ${kind}`, () =>
    assert.equal(tokenKind(token), kind))
}

test('several keys are read with their aliases, one without has its masked form', () => {
  const keys = parseRoutingKeys(` web = ${KEY} , ${OTHER}`)
  assert.deepEqual(
    keys.map(({ alias, key }) => [alias, key.reveal()]),
    [
      ['web', KEY],
      ['…cdef', OTHER],
    ],
  )
})

test('the same key twice is one destination', () =>
  assert.equal(parseRoutingKeys(`a=${KEY},b=${KEY}`).length, 1))

const REFUSED: [string, RegExp][] = [
  ['', /blank/],
  [`${KEY},`, /entry 2 is blank/],
  ['samplekeyhere', /13 characters;/],
  [`${KEY}\u200b`, /33 characters, 1 of them other than letters and digits;/],
  ['01234567-89ab-cdef-0123-456789abcdef', /UUID with dashes/],
  ['u+abcdefghijklmnopqr', /REST API token/],
  ['$(PAGERDUTY_TOKEN12345)', /a reference to a variable that was never replaced; define that variable/],
  [`${KEY},$PAGERDUTY_TOKEN_23`, /entry 2 is a reference to a variable/],
  [`${KEY.slice(0, 31)}é`, /32 letters and digits/],
  [`a b=${KEY}`, /alias/],
  [`=${KEY}`, /alias/],
  [`a=${KEY},a=${OTHER}`, /entry 2 has an alias that another key has already/],
  [`a=${KEY},b=${OTHER},a=${KEY}`, /entry 3 has an alias that another key has already/],
  [`default=${KEY}`, /an alias that is reserved/],
  [`key-2=${KEY},${OTHER}`, /entry 1 has an alias that is reserved/],
  [`Relay=${KEY}`, /an alias that is reserved/],
  [`${OTHER}=${KEY}`, /an alias that looks like a key itself/],
]
for (const [text, message] of REFUSED) {
  test(`keys are refused with a message like ${message.source}`, () => {
    assert.throws(
      () => parseRoutingKeys(text),
      (error) =>
        error instanceof Failure &&
        error.kind === 'config' &&
        message.test(error.message) &&
        (text.length < 5 || !error.message.includes(text)),
    )
  })
}

test('only keys of Event Orchestration are known not to take change events', () => {
  assert.equal(takesChanges(createSecret('R022XIJR9M266DX570EVE6EXP1AFBN6D')), false)
  assert.equal(takesChanges(createSecret('Rabcdef0123456789abcdef012345678')), true)
  assert.equal(takesChanges(createSecret(OTHER)), true)
})
