import type { AddressInfo, Socket } from 'node:net'
import { fastify, type FastifyInstance } from 'fastify'
import { createAlertIncidents } from './alert-incidents.ts'
import { createPlaybook, type Instruction } from './behaviour.ts'
import { mountControl } from './control-routes.ts'
import { eventsRoutes } from './events-routes.ts'
import { mountRoutes } from './exchange.ts'
import type { ChangeEvent } from './judge.ts'
import { createLedger, type Alert } from './ledger.ts'
import { maskKeys } from './mask.ts'
import { createRecorder, type RecordedRequest } from './recorder.ts'
import { restRoutes } from './rest-routes.ts'
import { createRestState, isMuted, isOfDisabled, type RestSeed, type RestState } from './rest-state.ts'

/** More than any sender should send, but harmless. */
const READ_LIMIT_BYTES = 64 * 1024 * 1024

/** How to start a simulator. */
export interface SimulatorOptions {
  /** The address to listen on. Default: 127.0.0.1. */
  readonly host?: string | undefined
  /** Default: 0, a free one. */
  readonly port?: number | undefined
  /** Serves https with this key and certificate (PEM). */
  readonly tls?: { readonly key: string; readonly cert: string } | undefined
  /** The routing keys that have an integration. Default: every well-formed one. */
  readonly knownKeys?: readonly string[] | undefined
  /** The account that the REST API shows. */
  readonly rest?: RestSeed | undefined
  /** Whether an alert is also an incident of its service, so that the REST API shows what the events did. */
  readonly alertsAreIncidents?: boolean | undefined
  /** Called with a line in plain words for everything that happens, with keys masked. */
  readonly log?: ((line: string) => void) | undefined
}

/** A PagerDuty on this machine. The lists are live, and are emptied by `reset`. */
export interface Simulator {
  /** Without a slash at its end. */
  readonly url: string
  readonly port: number
  readonly requests: readonly RecordedRequest[]
  readonly alerts: readonly Alert[]
  readonly changes: readonly ChangeEvent[]
  /** The account that the REST API shows; `seed` and `reset` replace it. */
  readonly rest: RestState
  /** Replaces the account. */
  readonly seed: (seed: RestSeed) => void
  /**
   * Sets how to behave. Instructions with `times` are used up first, in the order given; one without applies
   * after them, until a newer one or `reset`.
   */
  readonly behave: (instruction: Instruction) => void
  /** Forgets everything: requests, alerts, change events and instructions; the account becomes what it was at first. */
  readonly reset: () => void
  /**
   * Resolves with all requests as soon as there are `count`.
   * @throws when `timeoutMs` (5000) pass before that
   */
  readonly waitForRequests: (count: number, timeoutMs?: number) => Promise<readonly RecordedRequest[]>
  /** Ends every connection, hanging or not, and stops listening. */
  readonly close: () => Promise<void>
}

/**
 * Starts a simulator of PagerDuty's Events API v2, which answers as PagerDuty does, remembers what it was sent, and
 * misbehaves when told to. Other processes control it under `/_simulator/`.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { host = '127.0.0.1', port = 0, tls, knownKeys } = options
  const recorder = createRecorder()
  const playbook = createPlaybook()
  const ledger = createLedger()
  const closing = new AbortController()
  const log = (line: string): void => options.log?.(maskKeys(line))
  let account = createRestState(options.rest)
  const seed = (next: RestSeed | undefined): void => {
    account = createRestState(next)
  }
  const reset = (): void => {
    seed(options.rest)
    recorder.clear()
    playbook.clear()
    ledger.clear()
  }

  const withAlerts = createAlertIncidents(ledger.alerts)
  const app = createServer(tls)
  const connections = trackConnections(app)
  mountControl(app, { recorder, ledger, account: () => account, behave: playbook.add, seed, reset })
  const routes = [
    ...eventsRoutes({
      ledger,
      knownKeys,
      isMuted: (key) => isMuted(account, key, Date.now()),
      isOfDisabled: (key) => isOfDisabled(account, key),
      log,
    }),
    ...restRoutes(
      () => (options.alertsAreIncidents === true ? withAlerts(account) : account),
      ledger.changes,
    ),
  ]
  await app.register(async (scope) => {
    mountRoutes(scope, { routes, recorder, playbook, connections, log, closing: closing.signal })
  })
  await app.listen({ host, port })

  const { port: listeningPort } = app.server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${reachable(host)}:${listeningPort}`,
    port: listeningPort,
    requests: recorder.requests,
    alerts: ledger.alerts,
    changes: ledger.changes,
    get rest() {
      return account
    },
    seed,
    behave: playbook.add,
    reset,
    waitForRequests: recorder.waitFor,
    close: async () => {
      closing.abort()
      const closed = app.close()
      for (const socket of connections.values()) socket.destroy() // also those in the middle of a TLS handshake
      await closed
    },
  }
}

function createServer(tls: SimulatorOptions['tls']): FastifyInstance {
  // Fastify's types tell http and https servers apart; nothing here depends on which it is.
  const app = fastify({
    https: tls ?? null,
    bodyLimit: READ_LIMIT_BYTES,
    forceCloseConnections: true,
  }) as unknown as FastifyInstance
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  return app
}

/** The TCP connections by remote port: below TLS, since only a plain socket can be reset. */
function trackConnections(app: FastifyInstance): ReadonlyMap<number | undefined, Socket> {
  const connections = new Map<number | undefined, Socket>()
  app.server.on('connection', (socket: Socket) => {
    const { remotePort } = socket
    connections.set(remotePort, socket)
    socket.once('close', () => connections.delete(remotePort))
  })
  return connections
}

/** The host to connect to for one to listen on. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
