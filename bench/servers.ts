import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The certificate of every https server here; clients trust it by name of this file. */
export const CERTIFICATE_FILE = fileURLToPath(
  new URL('../test/simulator/localhost-cert.pem', import.meta.url),
)
const KEY_FILE = fileURLToPath(new URL('../test/simulator/localhost-key.pem', import.meta.url))

/** Servers in processes of their own, so that a client under measurement never waits for this one. */
export interface Servers {
  readonly httpUrl: string
  readonly httpsUrl: string
  /** The https server at the end of a path with a round trip of `ROUND_TRIP_MS`. */
  readonly farUrl: string
  close(): void
}

export const ROUND_TRIP_MS = 50

/** Starts a stub of PagerDuty on loopback, over http and https, and a slow path to it. */
export async function startServers(): Promise<Servers> {
  const stub = await start('stub-server.ts', [KEY_FILE, CERTIFICATE_FILE])
  const { http, https } = JSON.parse(stub.line) as { http: number; https: number }
  const path = await start('delay-proxy.ts', [String(https), String(ROUND_TRIP_MS)])
  return {
    httpUrl: `http://localhost:${http}`,
    httpsUrl: `https://localhost:${https}`,
    farUrl: `https://localhost:${path.line}`,
    close: () => [stub, path].forEach(({ child }) => child.kill()),
  }
}

/** @returns the process and the first line that it printed */
async function start(file: string, args: readonly string[]): Promise<{ child: ChildProcess; line: string }> {
  const script = fileURLToPath(new URL(file, import.meta.url))
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, line: chunk.toString('utf8').trim() }
}
