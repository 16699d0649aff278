import { Agent, EnvHttpProxyAgent, request as undiciRequest, type Dispatcher } from 'undici'
import type { ProxyConfig } from '../config/read-delivery.ts'
import { classifyError } from '../core/network-error.ts'
import { classifyAnswer, type Answer, type Outcome } from '../core/outcome.ts'
import type { PostRequest } from './request.ts'

/** Longest answer that is read, in bytes. PagerDuty's have some hundred; the rest of a longer one is not needed. */
const MAX_ANSWER_BYTES = 64 * 1024
/** How long the body of a 2xx is waited for: the event is accepted whatever it says. */
const ACCEPTED_BODY_MS = 1000

/** One HTTP request, ready to be made any number of times with the same bytes. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
}

/** How one exchange went: the server's answer, or what kept it from coming. */
export type Exchange =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly outcome: Exclude<Outcome, { kind: 'accepted' | 'refused' }> }

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

/** A transport over undici that goes through the given proxies. */
export function createTransport({ proxy, baseUrl }: { proxy: ProxyConfig; baseUrl: string }): Transport {
  const dispatcher = createDispatcher(proxy, baseUrl)
  const exchange: Transport['exchange'] = async (request, timeoutMs, signal) => {
    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(), timeoutMs)
    try {
      const answer = await makeRequest(dispatcher, request, AbortSignal.any([signal, timeout.signal]))
      return { kind: 'answered', answer }
    } catch (error) {
      if (signal.aborted) return failed({ kind: 'retry', reason: 'interrupted' })
      if (timeout.signal.aborted)
        return failed({ kind: 'retry', reason: `no answer within ${timeoutMs / 1000} s` })
      return failed(classifyError(error))
    } finally {
      clearTimeout(timer)
    }
  }
  return {
    exchange,
    post: async (request, timeoutMs, signal) => {
      const result = await exchange({ method: 'POST', ...request }, timeoutMs, signal)
      return result.kind === 'answered' ? classifyAnswer(result.answer, Date.now()) : result.outcome
    },
    close: () => dispatcher.destroy(),
  }
}

function failed(outcome: Exclude<Outcome, { kind: 'accepted' | 'refused' }>): Exchange {
  return { kind: 'failed', outcome }
}

async function makeRequest(
  dispatcher: Dispatcher,
  { method, url, headers, body }: HttpRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const response = await undiciRequest(url, { method, headers, body: body ?? null, dispatcher, signal })
  const isAccepted = response.statusCode >= 200 && response.statusCode <= 299
  const text = await readBody(response.body, isAccepted ? ACCEPTED_BODY_MS : undefined)
  return { status: response.statusCode, headers: singleHeaders(response.headers), body: text }
}

/**
 * The head of a body; what cannot be read is left out, since the status alone decides.
 * @param limitMs gives up reading after this time
 */
async function readBody(body: Dispatcher.ResponseData['body'], limitMs: number | undefined): Promise<string> {
  const chunks: Buffer[] = []
  const timer = limitMs === undefined ? undefined : setTimeout(() => body.destroy(), limitMs)
  try {
    let bytes = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= MAX_ANSWER_BYTES) break
    }
  } catch {
    // Cut off: by the server, by the attempt's timeout or by ours.
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString('utf8')
}

function singleHeaders(
  headers: Record<string, string | string[] | undefined>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  )
}

/**
 * The dispatcher for one base URL. Each proxy variable serves its own scheme only, as with curl; undici alone would
 * send https through `HTTP_PROXY` where `HTTPS_PROXY` is not set.
 */
function createDispatcher({ httpProxy, httpsProxy, noProxy = '' }: ProxyConfig, baseUrl: string): Dispatcher {
  const isHttps = baseUrl.startsWith('https:')
  const uri = isHttps ? httpsProxy : httpProxy
  const options = {
    allowH2: false,
    // The attempt's own timer covers all of these; undici's are coarser and would fire beside it.
    connect: { timeout: 0, minVersion: 'TLSv1.2', autoSelectFamily: true },
    headersTimeout: 0,
    bodyTimeout: 0,
  } as const
  if (uri === undefined) return new Agent(options)
  return new EnvHttpProxyAgent({
    ...options,
    httpProxy: uri,
    httpsProxy: uri,
    noProxy,
    proxyTunnel: isHttps,
    requestTls: { minVersion: 'TLSv1.2' },
  })
}
