import { setMaxListeners } from 'node:events'
import type { Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { Agent, buildConnector, Pool, ProxyAgent, type Dispatcher } from 'undici'
import { proxyCredentials } from '../config/proxy.ts'
import type { ChosenProxy } from './proxy.ts'
import type { EarlyConnections } from './preconnect.ts'
import { skipInterimAnswers, watchAnswers } from './interim-answers.ts'
import { TLS_OPTIONS } from './tls-options.ts'
import { keepWarm, type WarmConnections } from './warm-connections.ts'

/** undici's dispatcher, and a count of its connections. */
export interface Connections {
  readonly dispatcher: Dispatcher
  /** How many connections were opened or attempted so far. */
  readonly opened: () => number
  /** Closes every connection at once, including one that is being opened. */
  readonly close: () => Promise<void>
}

export interface ConnectionOptions {
  readonly proxy: ChosenProxy | undefined
  /** Whether the server uses https. */
  readonly isTls: boolean
  /** How long a connection may take to open; the attempt that waits for it has its own timer. */
  readonly connectTimeoutMs: number
  /** How long to keep an idle connection, unless the server asks for less. */
  readonly keepAliveMs: number
  /** Connections to use first; only without a proxy. */
  readonly early: EarlyConnections | undefined
  /** How many connections to keep open to a server before they are needed; only https without a proxy. */
  readonly warm?: { readonly baseUrl: string; readonly count: number } | undefined
  /** Opens connections without a proxy; default: to the server. */
  readonly connect?: Connect | undefined
}

/** undici's connector. */
export type Connect = buildConnector.connector

/** Longest head of an answer, in bytes, as in curl: a long one must not turn an accepted event into a failure. */
const MAX_HEADER_BYTES = 300 * 1024

/** Connections to one server, directly or through a proxy. */
export function createConnections(connectionOptions: ConnectionOptions): Connections {
  const { proxy, isTls, connectTimeoutMs, keepAliveMs, early, warm } = connectionOptions
  const closing = new AbortController()
  setMaxListeners(0, closing.signal) // each socket is a listener
  const tls = { ...TLS_OPTIONS, allowH2: false, signal: closing.signal } as const
  // The attempt has its own timer; undici's two are coarser and would fire as well.
  const options = {
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: MAX_HEADER_BYTES,
  } as const
  let opened = 0
  const watch =
    (connect: Connect, observe: (socket: Socket) => unknown = watchAnswers): Connect =>
    (request, callback) =>
      connect(request, (...[error, socket]) => {
        opened += 1
        if (error !== null) return callback(error, null)
        observe(socket)
        callback(null, socket)
      })
  const createPool = (origin: string | URL, given: object, observe?: (socket: Socket) => unknown): Pool => {
    const { connect } = given as { connect: Connect }
    return new Pool(origin, { ...given, ...options, connect: watch(connect, observe) })
  }
  const isTunneled = proxy?.variable === 'HTTPS_PROXY'
  const connect =
    connectionOptions.connect ?? createConnector({ isTls, connectTimeoutMs, early, signal: closing.signal })
  const warmed = warm && isTls && proxy === undefined ? keepWarmTo(warm, connect) : undefined
  const dispatcher =
    proxy === undefined
      ? new Agent({
          ...options,
          connect: warmed === undefined ? watch(connect) : useFirst(warmed, watch(connect)),
        })
      : new ProxyAgent({
          ...options,
          ...splitCredentials(proxy.url),
          proxyTunnel: isTunneled,
          connectTimeout: connectTimeoutMs,
          proxyTls: tls,
          requestTls: tls,
          // Pools as ProxyAgent creates them, one to the proxy and one through it.
          clientFactory: (origin, given) =>
            createPool(origin, given, isTunneled ? skipInterimAnswers : watchAnswers),
          factory: (origin, given) => createPool(origin, given),
        })
  return {
    dispatcher,
    opened: () => opened,
    close: async () => {
      closing.abort()
      early?.close()
      warmed?.close()
      await dispatcher.destroy()
    },
  }
}

/** A connector that uses early connections first, adding TLS if needed, and then opens new ones. */
function createConnector({
  isTls,
  connectTimeoutMs,
  early,
  signal,
}: Pick<ConnectionOptions, 'isTls' | 'connectTimeoutMs' | 'early'> & {
  readonly signal: AbortSignal
}): Connect {
  const options = {
    // Reading the root certificates takes as long as opening a connection, so do it once, while one is being opened.
    secureContext: isTls ? createSecureContext({ minVersion: TLS_OPTIONS.minVersion }) : undefined,
    rejectUnauthorized: TLS_OPTIONS.rejectUnauthorized,
    allowH2: false,
    timeout: connectTimeoutMs,
    autoSelectFamily: true,
  }
  const overEarly = buildConnector(options) // closing the early connections closes these too, and costs less than a signal
  const fresh = buildConnector({ ...options, signal })
  const addTls = async (...[opened, request, callback]: AddTlsArguments): Promise<void> => {
    try {
      overEarly({ ...request, httpSocket: await opened }, callback)
    } catch (error) {
      callback(error as Error, null)
    }
  }
  return (request, callback) => {
    const opened = early?.take()
    if (opened === undefined) fresh(request, callback)
    else void addTls(opened, request, callback)
  }
}

type AddTlsArguments = [Promise<Socket>, ...Parameters<Connect>]

function keepWarmTo(
  { baseUrl, count }: NonNullable<ConnectionOptions['warm']>,
  connect: Connect,
): WarmConnections {
  const { protocol, host, hostname, port } = new URL(baseUrl)
  return keepWarm((callback) => {
    connect({ protocol, host, hostname, port }, (...[error, socket]) => callback(error, socket))
  }, count)
}

/** A connector that takes warm connections first. They do not count as opened: the server may have closed an idle one. */
function useFirst(warmed: WarmConnections, connect: Connect): Connect {
  return (request, callback) => {
    const socket = warmed.take()
    if (socket === undefined) return connect(request, callback)
    watchAnswers(socket)
    queueMicrotask(() => callback(null, socket)) // undici does not expect it before this function returns
  }
}

/** Decodes the credentials here, because undici throws on a literal percent sign. */
function splitCredentials(proxyUrl: string): { uri: string; token?: string } {
  const url = new URL(proxyUrl)
  const credentials = proxyCredentials(url)
  url.username = ''
  url.password = ''
  return { uri: url.href, ...(credentials !== undefined && { token: `Basic ${credentials}` }) }
}
