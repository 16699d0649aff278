import assert from 'node:assert/strict'
import dns from 'node:dns'
import { test } from 'node:test'
import { getSystemErrorMap } from 'node:util'
import { errors } from 'undici'
import { classifyError, isConnectionLost } from '../../../src/core/network-error.ts'

const withCode = (code: string, message = 'text'): Error => Object.assign(new Error(message), { code })

/** Node's own list (`X509ErrorCode` in src/crypto/crypto_x509.cc of Node 24), then its check of names. */
const CERTIFICATE_CODES = `
  UNSPECIFIED UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_CRL UNABLE_TO_DECRYPT_CERT_SIGNATURE
  UNABLE_TO_DECRYPT_CRL_SIGNATURE UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY CERT_SIGNATURE_FAILURE
  CRL_SIGNATURE_FAILURE CERT_NOT_YET_VALID CERT_HAS_EXPIRED CRL_NOT_YET_VALID CRL_HAS_EXPIRED
  ERROR_IN_CERT_NOT_BEFORE_FIELD ERROR_IN_CERT_NOT_AFTER_FIELD ERROR_IN_CRL_LAST_UPDATE_FIELD
  ERROR_IN_CRL_NEXT_UPDATE_FIELD DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY UNABLE_TO_VERIFY_LEAF_SIGNATURE CERT_CHAIN_TOO_LONG CERT_REVOKED
  INVALID_CA PATH_LENGTH_EXCEEDED INVALID_PURPOSE CERT_UNTRUSTED CERT_REJECTED HOSTNAME_MISMATCH
  ERR_TLS_CERT_ALTNAME_INVALID ERR_TLS_CERT_ALTNAME_FORMAT
`
  .trim()
  .split(/\s+/)
for (const code of CERTIFICATE_CODES) {
  test(`${code} is final, and its code is shown`, () => {
    const outcome = classifyError(withCode(code))
    assert.equal(outcome.kind, 'unreachable')
    assert.match(outcome.reason, new RegExp(`certificate.*\\(${code}\\)$`))
  })
}

test('every error of the operating system may pass, and its code is shown', () => {
  const codes = [...getSystemErrorMap().values()].map(([code]) => code)
  assert.ok(codes.length > 60)
  for (const code of codes) {
    assert.equal(classifyError(withCode(code)).kind, 'retry', code)
    assert.match(classifyError(withCode(code)).reason, new RegExp(`\\(${code}\\)$`))
  }
})

test('every error of a name look-up may pass', () => {
  const codes = Object.values(dns).filter((value) => typeof value === 'string')
  assert.ok(codes.includes('ENOTFOUND') && codes.length > 20)
  for (const code of [...codes, 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME', 'EAI_MEMORY']) {
    assert.equal(classifyError(withCode(code)).kind, 'retry', code)
  }
})

/** What people meet often has words that say more than "the connection failed". */
const IN_WORDS: [code: string, words: RegExp][] = [
  ['ECONNREFUSED', /refused/],
  ['ECONNRESET', /reset/],
  ['EPIPE', /closed while sending/],
  ['ETIMEDOUT', /timed out/],
  ['EHOSTUNREACH', /no route/],
  ['ENETUNREACH', /network/],
  ['EAI_AGAIN', /DNS did not answer/],
  ['ENOTFOUND', /not known to DNS/],
  ['EPROTO', /TLS handshake/],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', /not support TLS 1.2 or later/],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', /not support TLS 1.2 or later/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', /does not speak TLS/],
  ['ERR_SSL_SOMETHING_NEW', /TLS handshake/],
  ['UND_ERR_CONNECT_TIMEOUT', /timed out/],
  ['UND_ERR_SOCKET', /closed the connection/],
  ['HPE_INVALID_CONSTANT', /not HTTP/],
  ['HPE_SOMETHING_NEW', /not HTTP/],
]
for (const [code, words] of IN_WORDS) {
  test(`${code} is explained`, () => assert.match(classifyError(withCode(code)).reason, words))
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

test('what a proxy says to a request that it does not let through is found in the text of undici', () => {
  const plain = new errors.InvalidArgumentError('Proxy Authentication Required (407)')
  assert.equal(classifyError(plain).kind, 'unreachable')
  const forbidden = new errors.RequestAbortedError('Proxy response (403) !== 200 when HTTP Tunneling')
  assert.deepEqual([classifyError(forbidden).kind, classifyError(forbidden).status], ['unreachable', 403])
  const down = new errors.RequestAbortedError('Proxy response (502) !== 200 when HTTP Tunneling')
  assert.equal(classifyError(down).kind, 'retry')
})

test('a connection that ended is told from one that was never made', () => {
  assert.ok(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].every((code) => isConnectionLost(withCode(code))))
  assert.ok(['ECONNREFUSED', 'EAI_AGAIN', 'ETIMEDOUT'].every((code) => !isConnectionLost(withCode(code))))
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
