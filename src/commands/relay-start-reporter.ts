import type { Session } from '../cli/session.ts'
import { composeTransport } from '../compose.ts'
import type { Event } from '../core/event.ts'
import { classifyAnswer, type Outcome } from '../core/outcome.ts'
import { isObject } from '../core/json.ts'
import { CLOCK } from '../delivery/real-clock.ts'
import { deliver } from '../delivery/retry.ts'
import { version } from '../version.ts'
import { relayHeaders } from './relay-headers.ts'
import type { StartAnswer, StartReporter } from './start-reporter.ts'

const MAX_ANSWER_BYTES = 65_536

/**
 * Reports a start to a relay, over HTTP.
 * @param event as `buildStarted` makes it
 */
export function createRelayReporter({ config, log }: Session, event: Event): StartReporter {
  const { delivery, started } = config
  const { eventsUrl, timeoutMs, secrets } = delivery
  const transport = composeTransport(delivery)
  const url = `${eventsUrl}/started`
  const bodyOf = (elapsedMs: number): object => ({
    ...(started.withinMs !== undefined && { within: `${started.withinMs}ms` }),
    ...(elapsedMs >= 1 && { elapsed: `${Math.round(elapsedMs)}ms` }),
    event: event.body,
  })
  return {
    describe: () => ({ method: 'POST', url, body: bodyOf(0) }),
    report: async (elapsedMs, budgetMs, signal) => {
      const startMs = performance.now()
      let text = ''
      const attempt = async (attemptMs: number, attemptSignal: AbortSignal): Promise<Outcome> => {
        const request = {
          method: 'POST' as const,
          url,
          headers: {
            ...relayHeaders(delivery),
            'content-type': 'application/json',
            'user-agent': `pagerduty-alert/${version}`,
          },
          body: Buffer.from(JSON.stringify(bodyOf(elapsedMs + performance.now() - startMs))),
          maxAnswerBytes: MAX_ANSWER_BYTES,
        }
        const exchange = await transport.exchange(request, attemptMs, attemptSignal)
        if (exchange.kind === 'failed') return exchange.outcome
        text = exchange.answer.body
        return classifyAnswer(exchange.answer, Date.now(), secrets)
      }
      const {
        outcome,
        status,
        reason = '',
      } = await deliver({
        clock: CLOCK,
        attempt,
        deadlineAtMs: CLOCK.now() + budgetMs,
        timeoutMs,
        signal,
        onRetry: ({ reason: why }) =>
          log.debug(`the relay was not told that the deployment has begun: ${why}`),
      })
      if (outcome === 'accepted') return readAnswer(text)
      const answer = { outcome, ...(status !== undefined && { status }) }
      return { ...answer, reason: status === 404 ? TOO_OLD : reason }
    },
    close: () => transport.close(),
  }
}

const TOO_OLD =
  'the server at PAGERDUTY_RELAY_URL has no POST /started: it is not a relay, or an older version'

function readAnswer(text: string): StartAnswer {
  const answer = parse(text)
  const dueAt = answer['due_at']
  return {
    outcome: 'accepted',
    watcher: 'relay',
    ...(typeof dueAt === 'string' && { dueAt }),
    isOnDisk: answer['kept'] !== 'in memory',
    hasEnded: answer['ended'] === true,
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    const answer: unknown = JSON.parse(text)
    return isObject(answer) ? answer : {}
  } catch {
    return {}
  }
}
