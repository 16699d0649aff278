import type { z } from 'zod'
import { Failure } from '../core/failure.ts'
import type { RestCall, RestClient, RestResult } from './client.ts'

/** A call, what it is for, and how its answer is read. */
export interface Question<T> {
  readonly call: RestCall
  /** What the call does, as messages say it: `read the service`. */
  readonly purpose: string
  /** The scope that the token needs for it, as PagerDuty names it: `services.read`. */
  readonly scope: string
  readonly answer: z.ZodType<T>
}

/**
 * Makes a call and reads its answer.
 * @throws Failure that says what to do: `config` if the token or an id is wrong, `refused` if the account does not allow
 *   it, `undelivered` if no readable answer came in time
 */
export async function ask<T>(client: RestClient, question: Question<T>): Promise<T> {
  const result = await client.call(question.call)
  if (result.kind !== 'answered') throw toRestFailure(result, question)
  const read = question.answer.safeParse(result.body)
  if (read.success) return read.data
  throw new Failure(
    'undelivered',
    `cannot ${question.purpose}: the answer (${result.status}) did not come from PagerDuty’s REST API; ` +
      'check PAGERDUTY_API_URL and the proxy',
  )
}

/** PagerDuty's largest page, and how far paging goes (REST docs, "Pagination"). */
const PAGE_SIZE = 100
const MAX_OFFSET = 10_000 - PAGE_SIZE

/** Asks for every page of a list, up to the ten thousand entries that PagerDuty pages through. */
export async function askAll<T extends { readonly more: boolean }>(
  client: RestClient,
  question: Question<T>,
): Promise<T[]> {
  const pages: T[] = []
  for (let offset = 0; offset <= MAX_OFFSET; offset += PAGE_SIZE) {
    const paging = [
      ['limit', String(PAGE_SIZE)],
      ['offset', String(offset)],
    ] as const
    const { call } = question
    // Each page says whether there is another.
    // oxlint-disable-next-line no-await-in-loop
    const page = await ask(client, {
      ...question,
      call: { ...call, query: [...(call.query ?? []), ...paging] },
    })
    pages.push(page)
    if (!page.more) break
  }
  return pages
}

/** What a failed call means to the user. */
export function toRestFailure(
  result: Exclude<RestResult, { kind: 'answered' }>,
  { purpose, scope }: Pick<Question<unknown>, 'purpose' | 'scope'>,
): Failure {
  const cannot = `cannot ${purpose}: ${result.reason}`
  if (result.kind === 'undelivered') return new Failure('undelivered', cannot)
  const advice = result.status === 400 ? adviceOn400(result) : ADVICE[result.status]?.(scope)
  const isOurs = result.status === 401 || result.status === 403 || result.status === 404
  return new Failure(isOurs ? 'config' : 'refused', advice === undefined ? cannot : `${cannot}\n${advice}`)
}

/** What to do about a 400. Two of its causes need more words than PagerDuty's (REST docs, "Authentication"). */
function adviceOn400({
  reason,
  isAnonymousWrite,
}: {
  readonly reason: string
  readonly isAnonymousWrite: boolean
}): string | undefined {
  if (isAnonymousWrite)
    return 'if the token is an account’s, set PAGERDUTY_FROM to the e-mail address of a PagerDuty user: writes need an author'
  if (/requester user not found/i.test(reason))
    return 'no user of this account has the e-mail address in PAGERDUTY_FROM; set it to the address of one'
  return undefined
}

/** What to do about a status (REST docs, "Errors"; the python client names the wrong region as a cause of 401). */
const ADVICE: Readonly<Record<number, (scope: string) => string>> = {
  401: () =>
    'PagerDuty does not know this REST API token: copy it again, and set PAGERDUTY_REGION=eu (or us) if the account ' +
    'is in that region',
  402: () => 'the account’s plan does not include this; ask the account’s owner',
  403: (scope) =>
    `the token does not allow this: it needs ${scope}, which ` +
    (scope.endsWith('.write')
      ? 'a read-only API key does not have, and a user’s token has only if that user may edit the service'
      : 'a user’s token has only if that user may see the service'),
  404: () =>
    'not found, or the token has no access to it: check PAGERDUTY_SERVICE_ID, PAGERDUTY_INTEGRATION_ID and ' +
    'PAGERDUTY_REGION',
}
