import { readFileSync } from 'node:fs'

/**
 * A key and a certificate for `localhost`, `127.0.0.1`, `::1` and the far end of the benchmark's long path, valid for a
 * hundred years. The certificate is its own issuer: give `cert` as `ca`, or its file in `NODE_EXTRA_CA_CERTS`, to trust it. The key is not secret.
 *
 * Made with `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500
 * -subj '/CN=PagerDuty simulator' -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1,IP:198.51.100.2'`.
 */
export const LOCALHOST_TLS = {
  key: readFileSync(new URL('localhost-key.pem', import.meta.url), 'utf8'),
  cert: readFileSync(new URL('localhost-cert.pem', import.meta.url), 'utf8'),
}
