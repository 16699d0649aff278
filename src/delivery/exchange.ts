import type { Dispatcher } from 'undici'
import type { Answer } from '../core/outcome.ts'
import { decodeBody } from './decode-body.ts'
import { statusBeforeError } from './interim-answers.ts'

/** Most bytes of an answer to read: the Events API's answers have a few hundred, and the rest of a longer one is not needed. */
const MAX_ANSWER_BYTES = 64 * 1024

/** One HTTP request that can be made any number of times with the same bytes. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** As `URL` normalizes it. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Most bytes of the answer to read; 64 KiB if omitted. */
  readonly maxAnswerBytes?: number
  /** How long to wait for the body of a 2xx; if omitted, as long as the attempt may take. */
  readonly acceptedBodyMs?: number
  /** Asked right before the first byte is written; if it returns false, nothing is sent, and the request is interrupted. */
  readonly mayBegin?: (() => boolean) | undefined
}

/** How one request over one connection ended. */
export type RequestEnd =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** The connection failed before an answer came; `error` is undici's. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** No answer came in time. */
  | { readonly kind: 'overdue' }
  /** The signal aborted before an answer came. */
  | { readonly kind: 'interrupted' }

/** The limits of a request. */
export interface Bounds {
  /** From now to the last byte of the answer. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/**
 * Makes one request. It counts as answered once the head of an answer is there: if the server, the time, the signal or the
 * length ends it after that, only the body is cut off, since the status alone decides about an event. The same goes for a
 * head that fails or cannot be parsed after its status.
 *
 * This handles undici's own events: its `request` creates a stream for every answer and takes only an `AbortSignal`, and
 * both together cost a relay more than everything else that it does with an event.
 */
export function requestOnce(
  dispatcher: Dispatcher,
  request: HttpRequest,
  { timeoutMs, signal }: Bounds,
): Promise<RequestEnd> {
  if (signal.aborted) return Promise.resolve({ kind: 'interrupted' })
  const { method, url, headers, body = null } = request
  return new Promise((resolve) => {
    const { handler, breakOff } = readAnswer(request, (ending) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', interrupt)
      resolve(ending)
    })
    const interrupt = (): void => breakOff({ kind: 'interrupted' })
    const timer = setTimeout(() => breakOff({ kind: 'overdue' }), timeoutMs)
    signal.addEventListener('abort', interrupt)
    dispatcher.dispatch({ ...splitUrl(url), method, headers, body }, handler)
  })
}

/** Splits a URL into the server and the path. */
function splitUrl(url: string): { origin: string; path: string } {
  const at = url.indexOf('/', url.indexOf('://') + '://'.length)
  return at < 0 ? { origin: url, path: '/' } : { origin: url.slice(0, at), path: url.slice(at) }
}

/** An answer that is being read. */
interface Reading {
  readonly handler: Dispatcher.DispatchHandler
  /** Ends with the part of the answer that has arrived, or else as given, and closes the connection. */
  readonly breakOff: (unanswered: RequestEnd) => void
}

/** Reads one answer. @param end called with the ending; later calls are ignored */
function readAnswer(
  { maxAnswerBytes = MAX_ANSWER_BYTES, acceptedBodyMs, mayBegin }: HttpRequest,
  end: (ending: RequestEnd) => void,
): Reading {
  const chunks: Buffer[] = []
  let bytes = 0
  let head: Pick<Answer, 'status' | 'headers'> | undefined
  let controller: Dispatcher.DispatchController | undefined
  let bodyTimer: NodeJS.Timeout | undefined
  let isBrokenOff = false

  const finish = (unanswered: RequestEnd, isCutOff = true): void => {
    clearTimeout(bodyTimer)
    if (head === undefined) return end(unanswered)
    const sent = Buffer.concat(chunks).subarray(0, maxAnswerBytes)
    const { 'content-encoding': encoding, 'content-type': contentType } = head.headers
    const body = decodeBody(sent, { encoding, contentType }, maxAnswerBytes)
    end({ kind: 'answered', answer: { ...head, ...body, isCutOff } })
  }
  const breakOff = (unanswered: RequestEnd): void => {
    isBrokenOff = true
    finish(unanswered)
    controller?.abort(new Error('aborted'))
  }
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: (started) => {
      controller = started
      // The request ended while it waited for a connection: nothing has been sent, and nothing will be.
      if (isBrokenOff) started.abort(new Error('aborted'))
      else if (mayBegin?.() === false) breakOff({ kind: 'interrupted' })
    },
    onResponseStart: (_controller, status, headers) => {
      if (status < 200) return // the final answer is still to come
      head = { status, headers: singleHeaders(headers) }
      if (acceptedBodyMs !== undefined && status <= 299)
        bodyTimer = setTimeout(() => breakOff({ kind: 'overdue' }), acceptedBodyMs)
    },
    onResponseData: (_controller, chunk) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= maxAnswerBytes) breakOff({ kind: 'overdue' })
    },
    onResponseEnd: () => finish({ kind: 'overdue' }, false),
    onResponseError: (_controller, error) => {
      const status = head === undefined ? statusBeforeError(error) : undefined
      if (status !== undefined) head = { status, headers: {} }
      finish({ kind: 'failed', error })
    },
  }
  return { handler, breakOff }
}

/** The first value of each header. */
function singleHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | undefined> {
  const single: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(headers)) single[name] = Array.isArray(value) ? value[0] : value
  return single
}
