import { oneLine } from './mask-secrets.ts'
import { classifyTunnelAnswer, type Outcome } from './outcome.ts'

/** What to do about a certificate that is not trusted; `NODE_EXTRA_CA_CERTS` is Node's own variable. */
const TRUST = 'if your proxy signs it, point NODE_EXTRA_CA_CERTS at its CA certificate (PEM)'
const CLOCK = 'check the clock of this machine'
const OTHER_NAME = 'the server’s certificate is for another name; check the host in PAGERDUTY_EVENTS_URL'

/**
 * Certificate errors, all of them final: those of Node's table `X509ErrorCode` (src/crypto/crypto_x509.cc; what it does not
 * know it calls UNSPECIFIED), and of OpenSSL if a certificate is too weak or a client certificate is required.
 */
const CERTIFICATE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: `the server’s certificate has expired; ${CLOCK} and the certificate`,
  CERT_NOT_YET_VALID: `the server’s certificate is not valid yet; ${CLOCK}`,
  CERT_REVOKED: 'the server’s certificate is revoked',
  CERT_UNTRUSTED: `the server’s certificate is not trusted; ${TRUST}`,
  CERT_REJECTED: 'the server’s certificate is rejected',
  CERT_SIGNATURE_FAILURE: 'the signature of the server’s certificate is wrong',
  CERT_CHAIN_TOO_LONG: 'the chain of the server’s certificate is too long',
  PATH_LENGTH_EXCEEDED: 'the chain of the server’s certificate is longer than its CA allows',
  DEPTH_ZERO_SELF_SIGNED_CERT: `the server’s certificate is self-signed; ${TRUST}`,
  SELF_SIGNED_CERT_IN_CHAIN: `the chain of the server’s certificate ends in a self-signed one; ${TRUST}`,
  UNABLE_TO_GET_ISSUER_CERT: `the issuer of the server’s certificate is not known; ${TRUST}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `the issuer of the server’s certificate is not known; ${TRUST}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `the server’s certificate cannot be verified; ${TRUST}`,
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: 'the signature of the server’s certificate cannot be read',
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: 'the key of the certificate’s issuer cannot be read',
  ERROR_IN_CERT_NOT_BEFORE_FIELD: 'the server’s certificate has a date that cannot be read',
  ERROR_IN_CERT_NOT_AFTER_FIELD: 'the server’s certificate has a date that cannot be read',
  UNABLE_TO_GET_CRL: 'the list of revoked certificates is missing',
  UNABLE_TO_DECRYPT_CRL_SIGNATURE: 'the list of revoked certificates cannot be verified',
  CRL_SIGNATURE_FAILURE: 'the list of revoked certificates cannot be verified',
  CRL_NOT_YET_VALID: `the list of revoked certificates is not valid yet; ${CLOCK}`,
  CRL_HAS_EXPIRED: `the list of revoked certificates has expired; ${CLOCK}`,
  ERROR_IN_CRL_LAST_UPDATE_FIELD: 'the list of revoked certificates has a date that cannot be read',
  ERROR_IN_CRL_NEXT_UPDATE_FIELD: 'the list of revoked certificates has a date that cannot be read',
  INVALID_CA: `a CA in the chain of the server’s certificate is not valid; ${TRUST}`,
  INVALID_PURPOSE: 'the server’s certificate is not meant for servers',
  HOSTNAME_MISMATCH: OTHER_NAME,
  UNSPECIFIED: 'the server’s certificate is not accepted',
  ERR_TLS_CERT_ALTNAME_INVALID: OTHER_NAME,
  ERR_TLS_CERT_ALTNAME_FORMAT: 'the server’s certificate has a name that cannot be read',
  ERR_SSL_EE_KEY_TOO_SMALL: 'the key of the server’s certificate is too weak',
  ERR_SSL_CA_KEY_TOO_SMALL: 'the key of the certificate’s issuer is too weak',
  ERR_SSL_CA_MD_TOO_WEAK: 'the signature of the server’s certificate is too weak',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'the server asks for a client certificate, and there is none',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'the server asks for a different client certificate',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'the server asks for a different client certificate',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the server asks for a different client certificate',
}

const OLD_TLS = 'the server does not support TLS 1.2 or later'
const NO_HTTP = 'the answer is not HTTP'

/** Errors that may pass, in words. What is not listed may pass too: giving up on an unknown error would lose a page. */
const TRANSIENT: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  ECONNABORTED: 'the connection was aborted',
  EPIPE: 'the connection was closed while sending',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'the network cannot be reached',
  ENETDOWN: 'the network is down',
  EHOSTDOWN: 'the host is down',
  EADDRNOTAVAIL: 'no local address is free',
  EACCES: 'this machine does not allow the connection',
  EPERM: 'this machine does not allow the connection',
  EMFILE: 'this process has too many open files',
  ENFILE: 'this machine has too many open files',
  EAI_AGAIN: 'the name could not be looked up (DNS did not answer)',
  ENOTFOUND: 'the name is not known to DNS',
  EPROTO: 'the TLS handshake failed',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_HEADERS_TIMEOUT: 'no answer came in time',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of the answer are too long',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped in the middle',
  UND_ERR_SOCKET: 'the other side closed the connection',
  UND_ERR_CLOSED: 'the connection was closed',
  UND_ERR_DESTROYED: 'the connection was closed',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer was cut off',
  UND_ERR_PRX_TLS: 'the TLS connection to the proxy failed',
  UND_ERR_PRX_CONN: 'the proxy closed the connection',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'the TLS handshake timed out',
  ERR_SSL_UNSUPPORTED_PROTOCOL: OLD_TLS,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: OLD_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not speak TLS on this port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the server does not speak TLS on this port',
}

/** Families of errors, in words: their own codes are not listed, or they have only a name. */
const FAMILIES: readonly [prefix: string, words: string][] = [
  ['ERR_SSL_', 'the TLS handshake failed'],
  ['HPE_', NO_HTTP],
  ['HTTPParserError', NO_HTTP], // undici's, if its parser gives no code
]

/** Errors by which an open connection ends: on one that had been idle they say nothing about the server. */
const LOST: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/** What an error of the network means for the attempt. Names the error's code, never its text of unknown content. */
export function classifyError(error: unknown): Exclude<Outcome, { kind: 'accepted' | 'refused' }> {
  const codes = errorCodes(error)
  const certificate = codes.find((code) => Object.hasOwn(CERTIFICATE, code))
  if (certificate !== undefined)
    return { kind: 'unreachable', reason: `${CERTIFICATE[certificate]} (${certificate})` }
  const tunnelStatus = proxyStatus(error)
  if (tunnelStatus !== undefined) return classifyTunnelAnswer(tunnelStatus)
  const known = codes.find((code) => Object.hasOwn(TRANSIENT, code))
  if (known !== undefined) return { kind: 'retry', reason: `${TRANSIENT[known]} (${known})` }
  const name = codes[0] ?? (error instanceof Error ? error.name : 'unknown error')
  const [, words] = FAMILIES.find(([prefix]) => name.startsWith(prefix)) ?? [name, 'the connection failed']
  return { kind: 'retry', reason: `${words} (${oneLine(name)})` }
}

/** Whether the error is that an open connection was closed or reset by the other side. */
export function isConnectionLost(error: unknown): boolean {
  return errorCodes(error).some((code) => LOST.has(code))
}

/** The codes of an error, of its causes, and of the errors that it gathers, outermost first. */
function errorCodes(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error) || depth > 5) return []
  const own = 'code' in error && typeof error.code === 'string' ? [error.code] : []
  const gathered: unknown[] = error instanceof AggregateError ? error.errors : []
  return [...own, ...[error.cause, ...gathered].flatMap((inner) => errorCodes(inner, depth + 1))]
}

/**
 * The status of a proxy that does not let a request through. undici gives it only in the text of the error: "Proxy response
 * (403) !== 200 when HTTP Tunneling", "Proxy Authentication Required (407)".
 */
function proxyStatus(error: unknown, depth = 0): number | undefined {
  if (!(error instanceof Error) || depth > 5) return undefined
  const status = /^Proxy (?:response|Authentication Required) \((\d{3})\)/.exec(error.message)?.[1]
  return status === undefined ? proxyStatus(error.cause, depth + 1) : Number(status)
}
