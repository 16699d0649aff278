import { jsonAnswer, type Answer } from './answer.ts'
import type { RecordedRequest } from './recorder.ts'
import { restError, type Caller } from './rest-call.ts'
import type { RestState } from './rest-state.ts'

const USER = 'jane@example.com'

/**
 * Who is calling, or the answer that refuses the call.
 * Source: PagerDuty's REST documentation ("Authentication", "Errors") and its Python client.
 */
export function admit(
  { method, headers }: RecordedRequest,
  { tokens, users }: RestState,
): Caller | { refusal: Answer } {
  const token = /^(?:Token token=|Bearer )(\S{12,})$/.exec(headers.authorization ?? '')?.[1]
  const kind = tokens === undefined ? 'account' : tokens.find((known) => known.token === token)?.kind
  if (token === undefined || kind === undefined)
    return { refusal: restError(401, 2006, 'Authentication failed') }
  if (method === 'GET') return { kind, author: '' }
  if (kind === 'read-only') return { refusal: restError(403, 2010, 'Access Denied') }
  const { from } = headers
  const isUser = from !== undefined && (users?.includes(from) ?? true)
  if (kind === 'account' && !isUser) return { refusal: restError(400, 1008, 'Requester User Not Found') }
  return { kind, author: kind === 'user' ? USER : (from ?? '') }
}

/** `GET /users/me`: an account's token has no user, and here the answer's `error` is a text, unlike everywhere else. */
export function answerMe({ kind }: Caller): Answer {
  if (kind === 'user') return jsonAnswer(200, { user: { name: 'Jane Doe', email: USER, role: 'admin' } })
  return jsonAnswer(400, {
    error:
      'This endpoint can only be used with a user-level API key; it does not work with an account-level access token.',
  })
}
