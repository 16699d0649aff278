import { fileURLToPath } from 'node:url'
import { script, startServer } from './processes.ts'

/** The certificate of every https server here; clients trust it by name of this file. */
export const CERTIFICATE_FILE = fileURLToPath(
  new URL('../test/simulator/localhost-cert.pem', import.meta.url),
)
const KEY_FILE = fileURLToPath(new URL('../test/simulator/localhost-key.pem', import.meta.url))

/** Where the stand-ins for PagerDuty listen. */
export interface Servers {
  readonly httpUrl: string
  readonly httpsUrl: string
  /** The https server at the end of a path with a round trip of `ROUND_TRIP_MS`. */
  readonly farUrl: string
}

/** The round trip of the long path. */
export const ROUND_TRIP_MS = 50

/** Starts a stub of PagerDuty on loopback, over http and https, and a slow path to it. */
export async function startServers(signal: AbortSignal): Promise<Servers> {
  const stub = await startServer({ args: [script('stub-server.ts'), KEY_FILE, CERTIFICATE_FILE], signal })
  const { http, https } = JSON.parse(stub.line) as { http: number; https: number }
  const path = await startServer({
    args: [script('delay-proxy.ts'), String(https), String(ROUND_TRIP_MS)],
    signal,
  })
  return {
    httpUrl: `http://localhost:${http}`,
    httpsUrl: `https://localhost:${https}`,
    farUrl: `https://localhost:${path.line}`,
  }
}
