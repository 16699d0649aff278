import { formatMs } from '../core/duration.ts'
import { classifyAnswer, type Answer, type Outcome } from '../core/outcome.ts'
import { createMask, type Mask } from '../core/mask-event.ts'
import type { Secret } from '../core/secret.ts'
import { deliver, type Clock, type Retry } from '../delivery/retry.ts'
import type { HttpRequest } from '../delivery/exchange.ts'
import type { Transport } from '../delivery/transport.ts'

/** One call of the REST API. */
export interface RestCall {
  readonly method: HttpRequest['method']
  /** With its leading slash, ids already encoded. */
  readonly path: string
  /** In order; a name may occur several times (`statuses[]`). */
  readonly query?: readonly (readonly [string, string])[]
  /** Sent as JSON. */
  readonly body?: unknown
  /** Not retried unless PagerDuty certainly did not accept it, so that nothing is created twice. */
  readonly isOnce?: boolean
}

/** The result of a call. */
export type RestResult =
  | {
      readonly kind: 'answered'
      /** Any 2xx. */
      readonly status: number
      /** Undefined if the answer has no body, or one that is not JSON. */
      readonly body: unknown
    }
  | {
      readonly kind: 'refused'
      readonly status: number
      readonly reason: string
      /** Whether it was a write without an author (`PAGERDUTY_FROM`). */
      readonly isAnonymousWrite: boolean
    }
  | { readonly kind: 'undelivered'; readonly reason: string }

export interface RestClient {
  /** Makes a call, and retries it if that may help. Never throws. */
  call(call: RestCall): Promise<RestResult>
  /** Masks the program's secrets in what an answer says, for texts that are shown. */
  readonly mask: Mask
  /** Closes the connections at once. */
  close(): Promise<void>
}

export interface RestClientDeps {
  readonly transport: Pick<Transport, 'exchange' | 'close'>
  readonly clock: Clock
  /** Base URL without a slash at the end. */
  readonly apiUrl: string
  readonly token: Secret
  /** E-mail address in whose name an account's token writes. */
  readonly from: string | undefined
  /** The deadline of a call that begins now, on the clock's scale. */
  readonly deadlineAtMs: () => number
  readonly timeoutMs: number
  readonly userAgent: string
  readonly signal: AbortSignal
  /** Masked in everything that PagerDuty says. */
  readonly secrets: readonly Secret[]
  /** Gets one line for each retry, so that a build is not silent while it waits. */
  readonly log: (line: string) => void
}

/** Longest answer that is read, in bytes. A page of a hundred services with their integrations has about 100,000. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** A client of PagerDuty's REST API v2 over one transport; outcomes, waits and deadline are those of events. */
export function createRestClient(deps: RestClientDeps): RestClient {
  const { transport, clock, from, deadlineAtMs, timeoutMs, signal, secrets, log } = deps
  const call = async (restCall: RestCall): Promise<RestResult> => {
    const request = createRestRequest(restCall, deps)
    let answer: Answer | undefined
    const attempt = async (budgetMs: number, attemptSignal: AbortSignal): Promise<Outcome> => {
      const exchange = await transport.exchange(request, budgetMs, attemptSignal)
      answer = exchange.kind === 'answered' ? exchange.answer : undefined
      const outcome = exchange.kind === 'answered' ? classify(exchange.answer, secrets) : exchange.outcome
      return restCall.isOnce === true ? onlyOnce(outcome) : outcome
    }
    const result = await deliver({
      attempt,
      deadlineAtMs: deadlineAtMs(),
      timeoutMs,
      clock,
      signal,
      onRetry: (retry) => log(describeRetry(restCall, retry)),
    })
    const { outcome, status = 0, reason = '' } = result
    if (outcome === 'accepted') return { kind: 'answered', status, body: parseBody(answer?.body ?? '') }
    if (outcome !== 'refused') return { kind: outcome, reason }
    const isAnonymousWrite = restCall.method !== 'GET' && from === undefined
    return { kind: outcome, status, reason, isAnonymousWrite }
  }
  return { call, mask: createMask(secrets), close: () => transport.close() }
}

function describeRetry({ method, path }: RestCall, { attempt, reason, delayMs }: Retry): string {
  return `${method} ${path}: attempt ${attempt} failed: ${reason}; next try in ${formatMs(delayMs)}`
}

/** OAuth tokens (`pdus+…`, `pdeu+…`) have another scheme than API keys (developer docs, "Authentication"). */
const OAUTH_TOKEN = /^pd(?:us|eu)\+/

/** The request of a call, with PagerDuty's media type and exactly `Token token=…`: any other spelling is answered 401. */
function createRestRequest(
  { method, path, query = [], body }: RestCall,
  { apiUrl, token, from, userAgent }: RestClientDeps,
): HttpRequest {
  const search = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value])).toString()
  const value = token.reveal()
  return {
    method,
    url: `${apiUrl}${path}${search === '' ? '' : `?${search}`}`,
    headers: {
      authorization: OAUTH_TOKEN.test(value) ? `Bearer ${value}` : `Token token=${value}`,
      accept: 'application/vnd.pagerduty+json;version=2',
      'user-agent': userAgent,
      ...(method !== 'GET' && from !== undefined && { from }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: Buffer.from(JSON.stringify(body)) }),
    maxAnswerBytes: MAX_ANSWER_BYTES,
  }
}

/** Of the outcomes that can be retried, only a 429 guarantees that nothing was created. */
function onlyOnce(outcome: Outcome): Outcome {
  if (outcome.kind !== 'retry' || outcome.status === 429) return outcome
  const { afterMs: _, ...rest } = outcome
  return { ...rest, kind: 'unreachable' }
}

/** As for events, except that the answer must be complete. */
function classify(answer: Answer, secrets: readonly Secret[]): Outcome {
  const outcome = classifyAnswer(answer, Date.now(), secrets)
  const isLost = outcome.kind === 'accepted' && answer.isCutOff === true
  return isLost ? { kind: 'retry', reason: 'the answer was cut off', status: answer.status } : outcome
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
