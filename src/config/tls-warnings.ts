import type { Environment } from '../core/build.ts'

/** Warns that Node's switch for certificate checks has no effect here, since its user expects that it has. */
export function tlsWarnings(env: Environment): string[] {
  return env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0' ? [IGNORED] : []
}

const IGNORED =
  'NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always verified. To trust a CA of your own, point ' +
  'NODE_EXTRA_CA_CERTS at its certificate (PEM)'
