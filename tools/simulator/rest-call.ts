import { jsonAnswer, type Answer } from './answer.ts'
import type { Route } from './exchange.ts'
import type { RestState } from './rest-state.ts'

/** Whose request it is. */
export interface Caller {
  readonly kind: 'account' | 'read-only' | 'user'
  /** The user in whose name it writes. */
  readonly author: string
}

/** One authorized call of the REST API. */
export interface RestRequest {
  readonly state: RestState
  readonly caller: Caller
  readonly query: URLSearchParams
  readonly params: Readonly<Record<string, string>>
  readonly json: Readonly<Record<string, Record<string, unknown> | undefined>>
  readonly nowMs: number
}

export type RestAnswer = (request: RestRequest) => Answer

/** A route of the REST API. */
export type RestRoute = readonly [Route['method'], string, RestAnswer]

const DEFAULT_LIMIT = 25
const MAX_LIMIT = 100

/** A page of a list: `limit` at most 100, `offset` and `limit` together at most 10,000; `total` only if requested. */
export function paged({ query }: RestRequest, name: string, entries: readonly unknown[]): Answer {
  const limit = Math.min(MAX_LIMIT, Number(query.get('limit') ?? DEFAULT_LIMIT))
  const offset = Number(query.get('offset') ?? 0)
  if (offset + limit > 10_000)
    return restError(400, 2001, 'Invalid Input Provided', 'Offset plus limit cannot exceed 10000.')
  const page = entries.slice(offset, offset + limit)
  const more = offset + limit < entries.length
  const total = query.get('total') === 'true' ? entries.length : null
  return jsonAnswer(200, { [name]: page, limit, offset, more, total })
}

/** An error as the REST API words it; `errors` is a list or, at times, one text. */
export function restError(status: number, code: number, message: string, errors?: string[] | string): Answer {
  return jsonAnswer(status, { error: { message, code, ...(errors !== undefined && { errors }) } })
}

export const NOT_FOUND: Answer = restError(404, 2100, 'Not Found')

/** The notes on the incident of a request. */
export function notesOf({ state, params }: RestRequest): object[] {
  return state.notes.filter(({ incidentId }) => incidentId === params['id'])
}
