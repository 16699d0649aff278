import type { FastifyInstance } from 'fastify'
import { composeRelayTransport } from '../compose.ts'
import type { RelayConfig } from '../config/load-relay-config.ts'
import { Failure } from '../core/failure.ts'
import { version } from '../version.ts'
import { buildApp } from './app.ts'
import { createMetrics } from './metrics.ts'
import { createRelayLog } from './relay-log.ts'
import { createResolver } from './resolve-key.ts'
import { createSynchronousIntake } from './synchronous-intake.ts'

/** What the relay needs of the process, and what it was told. */
export interface ServeOptions {
  readonly config: RelayConfig
  readonly hostname: string
  readonly writeOut: (text: string) => void
  readonly writeErr: (text: string) => void
  /** Hands SIGHUP, SIGINT and SIGTERM to a listener. */
  readonly takeSignals: (listener: () => void) => void
}

/** How long what is in flight may take after a signal: within 8 s the process is gone, and Docker waits for 10. */
const GRACE_MS = 6500
const LAST_MOMENT_MS = 500

/**
 * Runs the relay until a signal ends it.
 * @returns the exit status
 * @throws Failure of kind `config` where it cannot listen
 */
export async function serve(options: ServeOptions): Promise<number> {
  const { config, hostname, writeOut, writeErr, takeSignals } = options
  const { logger, flush } = createRelayLog(config.printing, config.delivery.secrets, writeErr)
  for (const warning of config.warnings) logger.warn(warning)
  let isDraining = false
  const signalled = new Promise<void>((resolve) => {
    takeSignals(() => {
      isDraining = true
      resolve()
    })
  })
  const metrics = createMetrics()
  const intake = createSynchronousIntake({
    transport: composeRelayTransport(config.delivery),
    resolve: createResolver(config.delivery),
    userAgent: `pagerduty-alert/${version}`,
    timeoutMs: config.delivery.timeoutMs,
    secrets: config.delivery.secrets,
    metrics,
  })
  const app = buildApp({
    config,
    intake,
    metrics,
    logger,
    hostname,
    checkReady: () => (isDraining ? 'the relay is shutting down' : undefined),
    isDraining: () => isDraining,
  })
  const url = await listen(app, config)
  if (config.port === 0) writeOut(`${url}\n`)
  logger.info(`listening on ${url}`)
  flush()
  await signalled
  logger.info('shutting down')
  await intake.close(GRACE_MS) // meanwhile new posts are answered 503
  await closeServer(app)
  flush()
  return 0
}

async function listen(app: FastifyInstance, { host, port }: RelayConfig): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    throw new Failure(
      'config',
      `cannot listen: ${IN_WORDS[code] ?? code}; see PAGERDUTY_RELAY_HOST and PAGERDUTY_RELAY_PORT`,
      { cause: error },
    )
  }
}

/** Ends the connections: at once those without a request, and those with one after a last moment. */
async function closeServer(app: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), LAST_MOMENT_MS)
  await app.close()
  clearTimeout(timer)
}

const IN_WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has that port',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'that port is reserved for root',
  ENOTFOUND: 'the host name is not known',
}
