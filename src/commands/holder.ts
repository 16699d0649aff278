import type { Session } from '../cli/session.ts'
import { composeSpool, composeTransport } from '../compose.ts'
import type { SpoolConfig } from '../config/spool.ts'
import { deploymentOf } from '../core/deployment.ts'
import type { Event } from '../core/event.ts'
import { Failure } from '../core/failure.ts'
import { isObject } from '../core/json.ts'
import { oneLine } from '../core/mask-secrets.ts'
import { parseSince } from '../core/since.ts'
import { describeDeployment, DEPLOYMENTS_PAGE } from '../spool/deployment-log.ts'
import { deadFilterOf, describeEntry } from '../spool/describe-entry.ts'
import { createKeyFinder } from '../spool/key-names.ts'
import type { EventStatus } from '../spool/spool.ts'

/** A JSON object as the relay's routes answer it. */
export type Answer = Readonly<Record<string, unknown>>

/** A member of an answer as one line of text; empty if there is none. */
export function textOf(answer: Answer, name: string): string {
  const value = answer[name]
  return typeof value === 'string' || typeof value === 'number' ? oneLine(String(value)) : ''
}

/** Which dead events are meant: one, those of a key, or all. */
export interface DeadChoice {
  readonly id?: number
  readonly key?: string
}

/** What holds events and remembers deployments. Its answers are those of the relay's routes, wherever they come from. */
export interface Holder {
  events(status: EventStatus): Promise<Answer>
  change(action: 'retry' | 'discard', choice: DeadChoice): Promise<Answer>
  /** @param query parameters of `GET /deployments` */
  deployments(query: Readonly<Record<string, string>>): Promise<Answer>
  /** Records the failed deployment that an event reports, and returns how many failures in a row there are now. */
  countFailure(event: Event): Promise<number>
  close(): Promise<void>
}

/** The relay that is configured, or else the spool. @throws Failure of kind `usage` if there is neither */
export async function openHolder(session: Session): Promise<Holder> {
  const { delivery, spool } = session.config
  if (delivery.relay !== undefined) return openRelay(session)
  if (spool !== undefined) return await openDirectory(session, spool)
  throw new Failure(
    'usage',
    `${session.command} needs a relay or a spool: set PAGERDUTY_RELAY_URL or PAGERDUTY_SPOOL`,
  )
}

function openRelay({ io, config }: Session): Holder {
  const { eventsUrl, relay, timeoutMs } = config.delivery
  const transport = composeTransport(config.delivery)
  const token = relay?.token
  const ask = async (method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> => {
    const headers = {
      accept: 'application/json',
      ...(body && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token.reveal()}` }),
    }
    const request = { method, url: `${eventsUrl}${path}`, headers, maxAnswerBytes: MAX_ANSWER_BYTES }
    const exchange = await transport.exchange(
      body === undefined ? request : { ...request, body: Buffer.from(JSON.stringify(body)) },
      timeoutMs,
      io.signal,
    )
    if (exchange.kind === 'failed')
      throw new Failure('undelivered', `the relay does not answer: ${exchange.outcome.reason}`)
    return readAnswer(exchange.answer.status, exchange.answer.body)
  }
  return {
    events: (status) => ask('GET', `/events?status=${status}`),
    change: (action, choice) => ask('POST', `/events/${action}`, choice),
    deployments: (query) => ask('GET', `/deployments?${new URLSearchParams(query).toString()}`),
    countFailure: async ({ body }) => {
      const { failures_in_a_row: failures } = await ask('POST', '/deployments/failures', body)
      if (typeof failures === 'number') return failures
      throw new Failure(
        'undelivered',
        'the relay’s answer has no failures_in_a_row; check PAGERDUTY_RELAY_URL',
      )
    },
    close: () => transport.close(),
  }
}

const MAX_ANSWER_BYTES = 16 << 20

/** @throws Failure that says why the relay did not do it */
function readAnswer(status: number, body: string): Answer {
  if (status === 401)
    throw new Failure('config', 'the relay requires its bearer token: set PAGERDUTY_RELAY_TOKEN')
  if (status !== 200) throw new Failure('undelivered', `the relay answers ${status}`)
  try {
    const answer: unknown = JSON.parse(body)
    if (isObject(answer)) return answer
  } catch {
    // reported below
  }
  throw new Failure('undelivered', 'the relay’s answer is not JSON; check PAGERDUTY_RELAY_URL')
}

/** Events that one answer lists. */
const LISTED = 1000

async function openDirectory({ config, log }: Session, options: SpoolConfig): Promise<Holder> {
  const spool = await composeSpool({ ...options, onWarning: (message) => log.warn(message) })
  const secretOf = createKeyFinder(config.delivery.keys)
  return {
    events: async (status) => ({
      events: spool.list(status, LISTED).map((entry) => describeEntry(entry, secretOf(entry.key))),
      counts: spool.counts(),
    }),
    change: async (action, choice) => {
      const filter = deadFilterOf(choice, secretOf)
      if (action === 'discard') return { discarded: await spool.discard(filter) }
      const { retried, leftOut } = await spool.retry(filter)
      return { retried, ...(leftOut > 0 && { left_out: leftOut }) }
    },
    deployments: async ({ environment, outcome, since, before }) => {
      const sinceMs = since === undefined ? undefined : parseSince(since, Date.now())
      const found = spool.deployments.list({
        limit: DEPLOYMENTS_PAGE + 1,
        ...(environment !== undefined && { environment }),
        ...(outcome !== undefined && { outcome: outcome as 'success' }),
        ...(sinceMs !== undefined && { sinceMs }),
        ...(before !== undefined && { beforeId: Number(before) }),
      })
      const page = found.slice(0, DEPLOYMENTS_PAGE)
      return {
        deployments: page.map(describeDeployment),
        ...(found.length > page.length && { next: page.at(-1)?.id }),
      }
    },
    countFailure: async (event) => {
      const deployment = deploymentOf(event, Date.now())
      if (deployment === undefined) throw new Failure('usage', 'its details do not say what was deployed')
      return await spool.deployments.note(deployment)
    },
    close: () => spool.close(),
  }
}
