import type { Session } from '../cli/session.ts'
import { composeSpool, composeTransport } from '../compose.ts'
import { eventInput } from '../core/build-event.ts'
import type { Event } from '../core/event.ts'
import { createMask } from '../core/mask-event.ts'
import { classifyAnswer, type Outcome } from '../core/outcome.ts'
import { isObject } from '../core/json.ts'
import { buildStarted } from '../core/started.ts'
import { CLOCK } from '../delivery/real-clock.ts'
import { deliver } from '../delivery/retry.ts'
import { toSpoolKey } from '../spool/key-names.ts'
import { version } from '../version.ts'
import { relayHeaders } from './relay-headers.ts'
import { toStartAnswer, type StartAnswer, type StartReporter } from './start-reporter.ts'

/**
 * Opens the relay, or else the fleet, or else the spool that watches the clock for deployments. Undefined if none is configured.
 * @param startedAt when the deployment began, ISO 8601
 * @throws Failure of kind `usage` if no outcome could be matched to the deployment
 */
export async function openStartReporter(
  session: Session,
  startedAt: string,
): Promise<StartReporter | undefined> {
  const { delivery, fleet, spool } = session.config
  if (delivery.relay === undefined && fleet === undefined && spool === undefined) return undefined
  const event = startedEvent(session, startedAt)
  if (delivery.relay !== undefined) return openRelayReporter(session, event)
  const ofSpool = spool === undefined ? undefined : await openSpoolReporter(session, event)
  if (fleet === undefined) return ofSpool
  const { createFleetReporter } = await import('./fleet-start-reporter.ts') // few have one
  return createFleetReporter({ session, fleet, event, spool: ofSpool })
}

function startedEvent({ config, identity }: Session, startedAt: string): Event {
  const { fields, choices } = config.event
  const nowIso = new Date().toISOString()
  const result = { startedAt }
  const input = eventInput({ fields, choices, build: config.build, identity, result, nowIso })
  return createMask(config.delivery.secrets)(buildStarted(input))
}

const MAX_ANSWER_BYTES = 65_536

function openRelayReporter({ config, log }: Session, event: Event): StartReporter {
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

async function openSpoolReporter({ config, log }: Session, event: Event): Promise<StartReporter> {
  const { delivery, started, spool: options } = config
  const { keys } = delivery
  const { withinMs } = started
  const directory = options?.directory ?? ''
  const open = async (): Promise<Awaited<ReturnType<typeof composeSpool>>> =>
    await composeSpool({ directory, limit: options?.limit ?? 0, onWarning: (message) => log.warn(message) })
  let opened: ReturnType<typeof open> | undefined
  return {
    describe: () => ({ spool: directory, within_ms: withinMs, event: event.body }),
    report: async (elapsedMs) => {
      const spool = await (opened ??= open())
      const begun = await spool.deadlines.begin({
        event,
        keys: keys.length > 0 ? keys.map(({ key }) => toSpoolKey(key, keys)) : [toSpoolKey(undefined, [])],
        ...(withinMs !== undefined && { withinMs }),
        elapsedMs,
      })
      return toStartAnswer(begun, { watcher: 'spool', full: 'the spool has too many deadlines' })
    },
    close: async () => await (await opened)?.close(),
  }
}
