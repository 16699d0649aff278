import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { script, startServer } from './processes.ts'

/** The certificate of every https server here; clients trust it by name of this file. */
export const CERTIFICATE_FILE = fileURLToPath(
  new URL('../tools/simulator/localhost-cert.pem', import.meta.url),
)
const KEY_FILE = fileURLToPath(new URL('../tools/simulator/localhost-key.pem', import.meta.url))

/** Where Debian and most others keep the roots that curl and Python read. */
const SYSTEM_ROOTS = '/etc/ssl/certs/ca-certificates.crt'

/**
 * Writes a certificate bundle of the usual size that trusts the servers here, for all clients: reading the roots is a large
 * part of a TLS client's start.
 */
export function writeRoots(file: string): void {
  const known = existsSync(SYSTEM_ROOTS) ? readFileSync(SYSTEM_ROOTS, 'utf8') : ''
  writeFileSync(file, known + readFileSync(CERTIFICATE_FILE, 'utf8'))
}

/** Where the stand-ins for PagerDuty listen. */
export interface Servers {
  readonly httpUrl: string
  readonly httpsUrl: string
  /** The https server at the end of a path with a round trip of `ROUND_TRIP_MS`. */
  readonly farUrl: string
  /** Whether that path delays packets, as a network does, or what a proxy reads. */
  readonly isFarByPacket: boolean
}

/** The round trip of the long path. */
export const ROUND_TRIP_MS = 50
/** The ends of the path, in a network that is reserved for documentation (RFC 5737). The certificate names the far one. */
const [NEAR, FAR] = ['198.51.100.1', '198.51.100.2']

/** Starts a stub of PagerDuty on loopback, over http and https, and another one at the end of the long path. */
export async function startServers(signal: AbortSignal): Promise<Servers> {
  const { http, https } = await startStub('127.0.0.1', signal)
  return {
    httpUrl: `http://localhost:${http}`,
    httpsUrl: `https://localhost:${https}`,
    ...(await startFar(https, signal)),
  }
}

/**
 * A path that delays packets needs root, Python and TUN devices; elsewhere it is a proxy in front of the stub on loopback.
 */
async function startFar(
  port: number,
  signal: AbortSignal,
): Promise<Pick<Servers, 'farUrl' | 'isFarByPacket'>> {
  const delay = String(ROUND_TRIP_MS)
  try {
    await startServer({ program: 'python3', args: [script('slow-path.py'), NEAR, FAR, delay], signal })
  } catch {
    const { line } = await startServer({ args: [script('slow-proxy.ts'), String(port), delay], signal })
    return { farUrl: `https://localhost:${line}`, isFarByPacket: false }
  }
  const { https } = await startStub(NEAR, signal)
  return { farUrl: `https://${FAR}:${https}`, isFarByPacket: true }
}

async function startStub(address: string, signal: AbortSignal): Promise<{ http: number; https: number }> {
  const args = [script('stub-server.ts'), KEY_FILE, CERTIFICATE_FILE, address]
  const { line } = await startServer({ args, signal })
  return JSON.parse(line) as { http: number; https: number }
}
