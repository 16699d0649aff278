import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { IMAGE_FLAGS } from '../build/image-flags.ts'
import { BIN, readScript, script, startServer, type Server } from './processes.ts'
import type { Load } from './load.ts'
import { CERTIFICATE_FILE } from './servers.ts'

/** A relay that runs. */
export interface Relay extends Server {
  readonly name: string
  readonly url: string
  /** Resident set before its first event. */
  readonly idleMb: number
  /** How many routing keys events take turns with; 0: they leave it to the relay's. */
  readonly keys: number
}

export interface RelayOptions {
  readonly name: string
  /** Where it passes events on; absent for one that drops them. */
  readonly upstreamUrl?: string
  /** A folder for its spool; absent for one that keeps nothing. */
  readonly spool?: string
  readonly keys?: number
  /** Further variables. */
  readonly env?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** Enough keys that none reaches its rate limit. */
export const MANY_KEYS = 20_000
/** Nothing listens there. */
export const NOWHERE = 'http://127.0.0.1:9'

/** Starts the program's relay, as the image does. */
export async function startRelay({
  upstreamUrl = NOWHERE,
  spool,
  env: more,
  ...options
}: RelayOptions): Promise<Relay> {
  const env = {
    PAGERDUTY_EVENTS_URL: upstreamUrl,
    PAGERDUTY_TOKEN: 'b'.repeat(32),
    PAGERDUTY_RELAY_PORT: '0',
    NODE_EXTRA_CA_CERTS: CERTIFICATE_FILE,
    LOG_LEVEL: 'error',
    ...(spool !== undefined && { PAGERDUTY_SPOOL: spool, PAGERDUTY_SPOOL_LIMIT: '10000000' }),
    ...more,
  }
  return await start([...IMAGE_FLAGS, BIN, 'serve'], env, options)
}

/** Starts a bare Fastify handler, with SQLite if there is a folder, which passes events on with undici if there is an upstream. */
export async function startBareRelay({ upstreamUrl, spool, ...options }: RelayOptions): Promise<Relay> {
  const program =
    spool === undefined ? [script('peers/relay.mjs')] : [script('peers/durable-relay.mjs'), spool]
  const upstream = upstreamUrl === undefined ? [] : [upstreamUrl]
  return await start([...program, ...upstream], {}, options)
}

async function start(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { name, signal, keys = 0 }: RelayOptions,
): Promise<Relay> {
  const server = await startServer({ args, env, signal })
  return { ...server, name, keys, url: server.line, idleMb: memoryMb(server, 'VmRSS') }
}

/** A figure of proc(5) `status`, which is in kB. NaN if there is no `/proc`. */
export function memoryMb({ child }: Server, field: 'VmRSS' | 'VmHWM'): number {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024
  } catch {
    return Number.NaN
  }
}

export interface LoadOptions {
  readonly connections: number
  readonly seconds: number
  readonly signal: AbortSignal
  /** What is posted. Default: alerts. */
  readonly kind?: 'alerts' | 'deployments'
}

/** Puts load on a relay, or another server that accepts events, for some seconds, from a separate process. */
export async function load(
  { url, keys }: Pick<Relay, 'url' | 'keys'>,
  { connections, seconds, signal, kind = 'alerts' }: LoadOptions,
): Promise<Load> {
  const args = [url, ...[connections, seconds, keys].map(String), kind]
  return (await readScript('load.ts', args, { timeoutMs: seconds * 1000 + 20_000, signal })) as Load
}

/** The folder of a spool, by its name. */
export function spoolFolder(folder: string, name: string): string {
  return join(folder, `spool-${name}`)
}

/** Ends a relay at once, and waits until it is gone. */
export async function killRelay({ child }: Server): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
