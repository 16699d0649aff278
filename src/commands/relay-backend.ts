import type { Session } from '../cli/session.ts'
import { composeTransport } from '../compose.ts'
import { Failure } from '../core/failure.ts'
import { isObject } from '../core/json.ts'
import type { JsonAnswer, Backend } from './backend.ts'
import { relayHeaders, requireAccess } from './relay-headers.ts'

const MAX_ANSWER_BYTES = 16 << 20

/** A relay, by its routes. */
export function openRelayBackend({ io, config }: Session): Backend {
  const { eventsUrl, timeoutMs } = config.delivery
  const transport = composeTransport(config.delivery)
  const ask = async (method: 'GET' | 'POST', path: string, body?: object): Promise<JsonAnswer> => {
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

/** @throws Failure that says why the relay did not do it */
function readAnswer(status: number, body: string): JsonAnswer {
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
