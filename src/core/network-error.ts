import { oneLine } from './mask.ts'
import { PROXY_REFUSED, type Outcome } from './outcome.ts'

/** What to do about a certificate that is not trusted; `NODE_EXTRA_CA_CERTS` is Node's own variable. */
const TRUST = 'if a proxy of yours signs it, point NODE_EXTRA_CA_CERTS at its CA certificate (PEM)'

/** Certificate errors of OpenSSL and Node (nodejs.org/api/tls "X509 certificate error codes"). All are final. */
const CERTIFICATE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED:
    'the server’s certificate has expired; check the clock of this machine and the certificate',
  CERT_NOT_YET_VALID: 'the server’s certificate is not valid yet; check the clock of this machine',
  CERT_REVOKED: 'the server’s certificate is revoked',
  CERT_UNTRUSTED: `the server’s certificate is not trusted; ${TRUST}`,
  CERT_REJECTED: 'the server’s certificate is rejected',
  CERT_SIGNATURE_FAILURE: 'the signature of the server’s certificate is wrong',
  CERT_CHAIN_TOO_LONG: 'the chain of the server’s certificate is too long',
  DEPTH_ZERO_SELF_SIGNED_CERT: `the server’s certificate is self-signed; ${TRUST}`,
  SELF_SIGNED_CERT_IN_CHAIN: `the chain of the server’s certificate ends in a self-signed one; ${TRUST}`,
  UNABLE_TO_GET_ISSUER_CERT: `the issuer of the server’s certificate is not known; ${TRUST}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `the issuer of the server’s certificate is not known; ${TRUST}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `the server’s certificate cannot be verified; ${TRUST}`,
  ERR_TLS_CERT_ALTNAME_INVALID: 'the server’s certificate is for another name',
  INVALID_CA: `a CA in the chain of the server’s certificate is not valid; ${TRUST}`,
  INVALID_PURPOSE: 'the server’s certificate is not meant for servers',
  HOSTNAME_MISMATCH: 'the server’s certificate is for another name',
}

/** Errors that may pass, in words. What is not listed may pass too: giving up on an unknown error would lose a page. */
const TRANSIENT: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  ECONNABORTED: 'the connection was broken off',
  EPIPE: 'the connection was closed while sending',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'the network cannot be reached',
  ENETDOWN: 'the network is down',
  EHOSTDOWN: 'the host is down',
  EADDRNOTAVAIL: 'no local address is free',
  EMFILE: 'this process has too many open files',
  EAI_AGAIN: 'the name could not be looked up (DNS did not answer)',
  ENOTFOUND: 'the name is not known to DNS',
  EPROTO: 'the TLS handshake failed',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_HEADERS_TIMEOUT: 'no answer came in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped in the middle',
  UND_ERR_SOCKET: 'the other side closed the connection',
  UND_ERR_CLOSED: 'the connection was closed',
  UND_ERR_DESTROYED: 'the connection was closed',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer was cut off',
  UND_ERR_PRX_TLS: 'the TLS connection to the proxy failed',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'the TLS handshake timed out',
  HPE_INVALID_CONSTANT: 'the answer is not HTTP',
  HPE_INVALID_VERSION: 'the answer is not HTTP',
}

/** What an error of the network means for the attempt. Names the error's code, never its text of unknown content. */
export function classifyError(error: unknown): Exclude<Outcome, { kind: 'accepted' | 'refused' }> {
  const codes = errorCodes(error)
  const certificate = codes.find((code) => Object.hasOwn(CERTIFICATE, code))
  if (certificate !== undefined)
    return { kind: 'unreachable', reason: `${CERTIFICATE[certificate]} (${certificate})` }
  if (isProxyRefusal(error)) return { kind: 'unreachable', status: 407, reason: PROXY_REFUSED }
  const known = codes.find((code) => Object.hasOwn(TRANSIENT, code))
  if (known !== undefined) return { kind: 'retry', reason: `${TRANSIENT[known]} (${known})` }
  const name = codes[0] ?? (error instanceof Error ? error.name : 'unknown error')
  return { kind: 'retry', reason: `the connection failed (${oneLine(name)})` }
}

/** The codes of an error, of its causes, and of the errors that it gathers, outermost first. */
function errorCodes(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error) || depth > 5) return []
  const own = 'code' in error && typeof error.code === 'string' ? [error.code] : []
  const gathered: unknown[] = error instanceof AggregateError ? error.errors : []
  return [...own, ...[error.cause, ...gathered].flatMap((inner) => errorCodes(inner, depth + 1))]
}

/** undici gives the status of a proxy that will not open a tunnel only in the text of the error. */
function isProxyRefusal(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 5) return false
  return /Proxy response \(407\)/.test(error.message) || isProxyRefusal(error.cause, depth + 1)
}
