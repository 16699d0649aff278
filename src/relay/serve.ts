import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { composeKeyLookUp } from '../compose.ts'
import type { RelayConfig } from '../config/load-relay.ts'
import { Failure } from '../core/failure.ts'
import type { KeyLookUp } from '../rest/remember-key.ts'
import { version } from '../version.ts'
import { createAccess } from './access.ts'
import { buildApp } from './app.ts'
import { createFoundKey } from './found-key.ts'
import { createRelayLog } from './log.ts'
import { startIntake } from './start-intake.ts'
import { startSuspectWatch } from './suspect-watch.ts'
import { watchDeadlines } from './watch-deadlines.ts'

/** What the relay needs from the process, and its configuration. */
export interface ServeOptions {
  readonly config: RelayConfig
  readonly hostname: string
  readonly writeOut: (text: string) => void
  readonly writeErr: (text: string) => void
  /** Hands SIGHUP, SIGINT and SIGTERM to a listener. */
  readonly takeSignals: (listener: () => void) => void
}

/** How long requests in flight may take after a signal: the process ends within 8 s, and Docker waits for 10. */
const GRACE_MS = 6500
const LAST_MOMENT_MS = 500

/**
 * Runs the relay until a signal ends it.
 * @returns the exit status
 * @throws Failure of kind `config` if it cannot listen
 */
export async function serve(options: ServeOptions): Promise<number> {
  const { hostname, writeOut, writeErr, takeSignals } = options
  const { config, hide, remembering } = createFoundKey(options.config)
  const write = (text: string): void => writeErr(hide(text))
  const { logger, flush } = createRelayLog(config.printing, config.delivery.secrets, write)
  for (const warning of config.warnings) logger.warn(warning)
  const draining = new AbortController()
  const signalled = new Promise<void>((resolve) => {
    takeSignals(() => {
      draining.abort()
      resolve()
    })
  })
  const ending = new AbortController()
  const composed = composeLookUp(config, logger, ending.signal)
  const lookUp = composed && remembering(composed)
  const parts = await startIntake({ config, logger, hostname, lookUp })
  const app = buildApp({
    config,
    ...parts,
    logger,
    hostname,
    hide: lookUp && hide,
    checkReady: () => (draining.signal.aborted ? 'the relay is shutting down' : parts.checkKept()),
    draining: draining.signal,
    access: createAccess(config, Date.now),
    isPageOn:
      config.ui === 'on' ||
      (config.ui === 'auto' && (config.token !== undefined || isLoopbackHost(config.host))),
    startedAtMs: Date.now(),
    now: Date.now,
  })
  const url = await listen(app, config)
  if (config.port === 0) writeOut(`${url}\n`)
  logger.info(`listening on ${addressOf(app)}`)
  if (config.token === undefined && !isLoopback(app)) logger.warn(OPEN_TO_OTHERS)
  void lookUp?.().catch((error: Failure) => {
    if (!ending.signal.aborted) logger.error(error.message)
  })
  const noting = startSuspectWatch({ config, ...parts, logger }, draining.signal)
  const watching = watchDeadlines({ ...parts, logger, signal: draining.signal })
  flush()
  await signalled
  logger.info('shutting down')
  const timer = setTimeout(() => ending.abort(), GRACE_MS) // the key look-up gets no more time than the rest
  if (parts.spool !== undefined) await watching // it writes to the spool
  await noting
  await parts.intake.close(GRACE_MS) // new posts are answered 503 until the server is closed
  clearTimeout(timer)
  ending.abort()
  await closeServer(app)
  flush()
  return 0
}

/** Looks up the relay's key if only a REST API token is configured. */
function composeLookUp(
  { delivery, rest }: RelayConfig,
  logger: Logger,
  signal: AbortSignal,
): KeyLookUp | undefined {
  return composeKeyLookUp({
    delivery,
    rest,
    version,
    signal,
    isLongLived: true,
    log: (line) => logger.info(line),
  })
}

async function listen(app: FastifyInstance, { host, port }: RelayConfig): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    throw new Failure(
      'config',
      `cannot listen: ${IN_WORDS[code] ?? code}; see PAGERDUTY_RELAY_HOST and PAGERDUTY_RELAY_PORT (${host}:${port})`,
      { cause: error },
    )
  }
}

/** The address that was configured. For 0.0.0.0, which means every address, Fastify itself would name only one of them. */
function addressOf(app: FastifyInstance): string {
  const { address, family, port } = app.server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

/** Whether only this machine or container can reach the relay. */
function isLoopback(app: FastifyInstance): boolean {
  const { address } = app.server.address() as AddressInfo
  return isLoopbackHost(address)
}

function isLoopbackHost(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^(?:::ffff:)?127\./.test(address)
}

const OPEN_TO_OTHERS =
  'anyone who can reach that address can send events with this relay’s key: to require a token, set ' +
  'PAGERDUTY_RELAY_TOKEN'

/** Closes the connections: idle ones at once, the others after a grace period. */
async function closeServer(app: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), LAST_MOMENT_MS)
  await app.close()
  clearTimeout(timer)
}

const IN_WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program uses that port',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'that port is reserved for root',
  ENOTFOUND: 'the host name is unknown',
}
