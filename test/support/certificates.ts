import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = new URL('../fixtures/tls/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8')

/** The CA of all of them, for `NODE_EXTRA_CA_CERTS`. */
export const CA_FILE = fileURLToPath(new URL('ca.pem', FOLDER))

/** A key and a certificate, made by `test/fixtures/tls/make.sh`. */
export function certificate(name: 'good' | 'expired' | 'not-yet-valid' | 'other-host'): {
  key: string
  cert: string
} {
  return { key: read('key.pem'), cert: read(`${name}.pem`) }
}
