import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errors } from 'undici'
import { classifyError } from '../../../src/core/network-error.ts'

const withCode = (code: string, message = 'text'): Error => Object.assign(new Error(message), { code })

const FINAL = [
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_REVOKED',
  'HOSTNAME_MISMATCH',
]
for (const code of FINAL) {
  test(`${code} is final, and its code is shown`, () => {
    const outcome = classifyError(withCode(code))
    assert.equal(outcome.kind, 'unreachable')
    assert.ok('reason' in outcome && outcome.reason.includes(code))
  })
}

const TRANSIENT = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EPROTO',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_SOCKET',
  'HPE_INVALID_CONSTANT',
]
for (const code of TRANSIENT) {
  test(`${code} may pass, and its code is shown`, () => {
    const outcome = classifyError(withCode(code))
    assert.equal(outcome.kind, 'retry')
    assert.ok('reason' in outcome && outcome.reason.includes(code))
  })
}

test('every error of undici is retried rather than lost', () => {
  for (const Type of Object.values(errors)) {
    let error: Error
    try {
      error = new (Type as new (message: string) => Error)('text')
    } catch {
      continue // a few take other arguments; they are about misuse of the library
    }
    assert.equal(classifyError(error).kind, 'retry', Type.name)
  }
})

test('the code is found in causes and in gathered errors', () => {
  const gathered = new AggregateError([withCode('EHOSTUNREACH'), withCode('ECONNREFUSED')])
  assert.match(JSON.stringify(classifyError(gathered)), /EHOSTUNREACH/)
  assert.equal(
    classifyError(new Error('a', { cause: new Error('b', { cause: withCode('CERT_HAS_EXPIRED') }) })).kind,
    'unreachable',
  )
})

test('a certificate error among others decides', () => {
  assert.equal(
    classifyError(new AggregateError([withCode('ECONNREFUSED'), withCode('CERT_HAS_EXPIRED')])).kind,
    'unreachable',
  )
})

test('a proxy that refuses the credentials is final', () => {
  const outcome = classifyError(
    new errors.RequestAbortedError('Proxy response (407) !== 200 when HTTP Tunneling'),
  )
  assert.deepEqual([outcome.kind, outcome.status], ['unreachable', 407])
})

test('the text of an error is never shown, since it may hold what was sent', () => {
  for (const error of [
    new Error('SECRET'),
    withCode('ECONNRESET', 'SECRET'),
    'SECRET',
    { message: 'SECRET' },
    null,
  ]) {
    assert.ok(!JSON.stringify(classifyError(error)).includes('SECRET'))
  }
})

test('an error that is its own cause does not hang', () => {
  const error = new Error('loop')
  error.cause = error
  assert.equal(classifyError(error).kind, 'retry')
})
