import type { Session } from '../cli/session.ts'
import { composeSpool, composeTransport } from '../compose.ts'
import type { SpoolConfig } from '../config/spool.ts'
import { Failure } from '../core/failure.ts'
import { isObject } from '../core/json.ts'
import type { Answer, Holder } from './holder.ts'
import { relayHeaders, requireAccess } from './relay-headers.ts'
import { createStoredHolder } from './stored-holder.ts'

/** The relay that is configured, or else the fleet, or else the spool. @throws Failure of kind `usage` if there is none */
export async function openHolder(session: Session): Promise<Holder> {
  const { delivery, fleet, spool } = session.config
  if (delivery.relay !== undefined) return openRelay(session)
  if (fleet !== undefined) return await (await import('./fleet-holder.ts')).openFleetHolder(session, fleet)
  if (spool !== undefined) return await openDirectory(session, spool)
  throw new Failure(
    'usage',
    `${session.command} needs a relay, a spool or a fleet: set PAGERDUTY_RELAY_URL, PAGERDUTY_SPOOL or PAGERDUTY_FLEET`,
  )
}

async function openDirectory({ config, log }: Session, options: SpoolConfig): Promise<Holder> {
  const spool = await composeSpool({ ...options, onWarning: (message) => log.warn(message) })
  const { deployments } = spool
  return {
    ...createStoredHolder({ store: spool, deployments, keys: config.delivery.keys }),
    close: () => spool.close(),
  }
}

function openRelay({ io, config }: Session): Holder {
  const { eventsUrl, timeoutMs } = config.delivery
  const transport = composeTransport(config.delivery)
  const ask = async (method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> => {
    const headers = {
      ...relayHeaders(config.delivery),
      ...(body && { 'content-type': 'application/json' }),
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
  requireAccess(status)
  if (status !== 200) throw new Failure('undelivered', `the relay answers ${status}`)
  try {
    const answer: unknown = JSON.parse(body)
    if (isObject(answer)) return answer
  } catch {
    // reported below
  }
  throw new Failure('undelivered', 'the relay’s answer is not JSON; check PAGERDUTY_RELAY_URL')
}
