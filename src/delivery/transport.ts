import type { Dispatcher } from 'undici'
import type { ProxyConfig } from '../config/read-proxy.ts'
import { classifyError, isConnectionLost } from '../core/network-error.ts'
import { classifyAnswer, type Answer, type Outcome } from '../core/outcome.ts'
import { chooseProxy } from './choose-proxy.ts'
import { createConnections, type Connections } from './dispatcher.ts'
import type { EarlyConnections } from './early-connection.ts'
import type { PostRequest } from './request.ts'

/** Longest answer that is read, in bytes: the Events API's have some hundred; the rest of a longer one is not needed. */
const MAX_ANSWER_BYTES = 64 * 1024
/** How long the body of a 2xx is waited for: the event is accepted whatever it says. */
const ACCEPTED_BODY_MS = 1000

/** One HTTP request, ready to be made any number of times with the same bytes. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Longest answer that is read; 64 KiB where absent. What is longer is cut off. */
  readonly maxAnswerBytes?: number
  /** How long the body of a 2xx is waited for; as long as the attempt may take where absent. */
  readonly acceptedBodyMs?: number
}

/** How one exchange went: the server's answer, or what kept it from coming. */
export type Exchange =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | {
      readonly kind: 'failed'
      readonly outcome: Exclude<Outcome, { kind: 'accepted' | 'refused' }>
      /** Whether the answer was too long in coming. */
      readonly isOverdue: boolean
    }

/** A way to make single attempts; it keeps its connections until closed. */
export interface Transport {
  /**
   * One request and its answer, whatever the answer says. Never throws.
   * @param timeoutMs budget from the first packet to the last byte of the answer
   * @param signal    ends the attempt at once
   */
  exchange(request: HttpRequest, timeoutMs: number, signal: AbortSignal): Promise<Exchange>
  /** One POST of an event. Never throws: whatever happens is an outcome. */
  post(request: PostRequest, timeoutMs: number, signal: AbortSignal): Promise<Outcome>
  /** Closes every connection, without waiting for answers. */
  close(): Promise<void>
}

export interface TransportOptions {
  readonly proxy: ProxyConfig
  /** Every request goes to this server; its scheme and host decide on the proxy. */
  readonly baseUrl: string
  /** How long a connection may take to open; 10 s where absent. */
  readonly connectTimeoutMs?: number
  /** Connections to that server which are used first. */
  readonly early?: EarlyConnections | undefined
  /** How long a connection is kept without use, where the server does not say less; 4 s where absent. */
  readonly keepAliveMs?: number
}

/** A transport over undici that goes through the given proxies. */
export function createTransport({
  proxy,
  baseUrl,
  connectTimeoutMs = 10_000,
  early,
  keepAliveMs = 4000,
}: TransportOptions): Transport {
  const chosen = chooseProxy(baseUrl, proxy)
  const connections = createConnections({
    proxy: chosen,
    isTls: baseUrl.startsWith('https:'),
    connectTimeoutMs,
    keepAliveMs,
    early,
  })
  const way = chosen === undefined ? '' : `, through the proxy of ${chosen.variable}`
  const exchange: Transport['exchange'] = async (request, timeoutMs, signal) => {
    // Not `AbortSignal.any`, which costs a relay more than the rest of this.
    const ending = new AbortController()
    const end = (): void => ending.abort()
    let isOverdue = false
    const timer = setTimeout(() => {
      isOverdue = true
      end()
    }, timeoutMs)
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    try {
      const answer = await makeRequest(connections, request, ending.signal)
      return { kind: 'answered', answer }
    } catch (error) {
      if (signal.aborted)
        return { kind: 'failed', outcome: { kind: 'retry', reason: 'interrupted' }, isOverdue }
      const outcome = isOverdue
        ? ({ kind: 'retry', reason: `no answer within ${timeoutMs / 1000} s` } as const)
        : classifyError(error)
      return { kind: 'failed', outcome: { ...outcome, reason: outcome.reason + way }, isOverdue }
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
    }
  }
  return {
    exchange,
    post: async ({ secrets, ...request }, timeoutMs, signal) => {
      const posted = { method: 'POST', acceptedBodyMs: ACCEPTED_BODY_MS, ...request } as const
      const result = await exchange(posted, timeoutMs, signal)
      return result.kind === 'answered' ? classifyAnswer(result.answer, Date.now(), secrets) : result.outcome
    },
    close: connections.close,
  }
}

/**
 * Makes the request, again and at once where it met a connection that the server had closed while it was idle: that
 * says nothing about the server. Each repetition uses up one such connection.
 */
async function makeRequest(
  connections: Connections,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Answer> {
  for (;;) {
    const openedBefore = connections.opened()
    try {
      return await requestOnce(connections.dispatcher, request, signal)
    } catch (error) {
      const isStale = openedBefore !== undefined && connections.opened() === openedBefore
      if (!isStale || !isConnectionLost(error) || signal.aborted) throw error
    }
  }
}

async function requestOnce(
  dispatcher: Dispatcher,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const { method, url, headers, body = null, maxAnswerBytes = MAX_ANSWER_BYTES, acceptedBodyMs } = request
  const { origin, pathname, search } = new URL(url)
  const response = await dispatcher.request({
    origin,
    path: pathname + search,
    method,
    headers,
    body,
    signal,
  })
  const isAccepted = response.statusCode >= 200 && response.statusCode <= 299
  const read = await readBody(response.body, maxAnswerBytes, isAccepted ? acceptedBodyMs : undefined)
  return { status: response.statusCode, headers: singleHeaders(response.headers), ...read }
}

/**
 * The head of a body; what cannot be read is left out, since for an event the status alone decides.
 * @param limitMs gives up reading after this time
 */
async function readBody(
  body: Dispatcher.ResponseData['body'],
  maxBytes: number,
  limitMs: number | undefined,
): Promise<Pick<Answer, 'body' | 'isCutOff'>> {
  const chunks: Buffer[] = []
  const timer = limitMs === undefined ? undefined : setTimeout(() => body.destroy(), limitMs)
  let isCutOff = true
  try {
    let bytes = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= maxBytes) break
    }
    isCutOff = bytes >= maxBytes
  } catch {
    // Cut off: by the server, by the attempt's timeout or by ours.
  } finally {
    clearTimeout(timer)
  }
  return { body: Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8'), isCutOff }
}

function singleHeaders(
  headers: Record<string, string | string[] | undefined>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  )
}
