import { nowMs } from './clock.ts'
import type { ProxyConfig } from '../config/proxy.ts'
import { classifyError, isConnectionLost } from '../core/network-error.ts'
import { classifyAnswer, type Answer, type Outcome } from '../core/outcome.ts'
import { hostAndPort } from './host-and-port.ts'
import { chooseProxy } from './proxy.ts'
import { createConnections, type Connect } from './connections.ts'
import type { EarlyConnections } from './preconnect.ts'
import { requestOnce, type RequestEnd, type HttpRequest } from './exchange.ts'
import type { PostRequest } from './request.ts'

/** The result of one exchange: the server's answer, or why there is none. */
export type Exchange =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | {
      readonly kind: 'failed'
      readonly outcome: Exclude<Outcome, { kind: 'accepted' | 'refused' }>
      /** Whether the answer took too long. */
      readonly isOverdue: boolean
    }

/** Makes single attempts, and keeps its connections until it is closed. */
export interface Transport {
  /**
   * Makes one request and returns its answer, whatever it is. Never throws.
   * @param timeoutMs time limit from the first packet to the last byte of the answer
   * @param signal    aborts the attempt
   */
  exchange(request: HttpRequest, timeoutMs: number, signal: AbortSignal): Promise<Exchange>
  /** Posts an event. Never throws: every result is an outcome. */
  post(request: PostRequest, timeoutMs: number, signal: AbortSignal): Promise<Outcome>
  /** Closes every connection, without waiting for answers. */
  close(): Promise<void>
}

export interface TransportOptions {
  readonly proxy: ProxyConfig
  /** The server of every request; its scheme and host decide which proxy is used. */
  readonly baseUrl: string
  /** How long a connection may take to open; 10 s if omitted. */
  readonly connectTimeoutMs?: number
  /** Connections to that server to use first. */
  readonly early?: EarlyConnections | undefined
  /** How long to keep an idle connection, unless the server asks for less; 4 s if omitted. */
  readonly keepAliveMs?: number
  /** How many connections to keep open before they are needed, if the server uses https and there is no proxy; default: none. */
  readonly warm?: number
  /** Opens connections without a proxy; default: to the server. */
  readonly connect?: Connect
}

/** A transport over undici, through the given proxies. */
export function createTransport({
  proxy,
  baseUrl,
  connectTimeoutMs = 10_000,
  early,
  keepAliveMs = 4000,
  warm,
  connect,
}: TransportOptions): Transport {
  const chosen = chooseProxy(baseUrl, proxy)
  const connections = createConnections({
    proxy: chosen,
    isTls: baseUrl.startsWith('https:'),
    connectTimeoutMs,
    keepAliveMs,
    early,
    warm: warm === undefined ? undefined : { baseUrl, count: warm },
    connect,
  })
  const proxied = chosen && `, through the proxy of ${chosen.variable} (${hostAndPort(chosen.url)})`
  const way = `${proxied ?? ''}, server ${hostAndPort(baseUrl)}`
  const exchange: Transport['exchange'] = async (request, timeoutMs, signal) => {
    const untilMs = nowMs() + timeoutMs
    let ending: RequestEnd
    let openedBefore: number
    do {
      openedBefore = connections.opened()
      const leftMs = Math.max(1, Math.ceil(untilMs - nowMs()))
      ending = await requestOnce(connections.dispatcher, request, { signal, timeoutMs: leftMs })
    } while (isLost(ending) && connections.opened() === openedBefore)
    if (ending.kind === 'answered') return ending
    if (ending.kind === 'interrupted')
      return { kind: 'failed', outcome: { kind: 'retry', reason: 'interrupted' }, isOverdue: false }
    const outcome =
      ending.kind === 'overdue'
        ? ({ kind: 'retry', reason: `no answer within ${timeoutMs / 1000} s` } as const)
        : classifyError(ending.error)
    return {
      kind: 'failed',
      outcome: { ...outcome, reason: outcome.reason + way },
      isOverdue: ending.kind === 'overdue',
    }
  }
  return {
    exchange,
    post: async (request, timeoutMs, signal) => {
      const result = await exchange(request, timeoutMs, signal)
      if (result.kind === 'failed') return result.outcome
      const outcome = classifyAnswer(result.answer, Date.now(), request.secrets)
      return outcome.kind === 'unreachable' ? { ...outcome, reason: outcome.reason + way } : outcome
    },
    close: connections.close,
  }
}

/**
 * Whether the connection was lost. If it was idle before, the server may just have closed it, which says nothing about the
 * server, so the request is repeated at once. Each repetition uses up one such connection.
 */
function isLost(ending: RequestEnd): boolean {
  return ending.kind === 'failed' && isConnectionLost(ending.error)
}
