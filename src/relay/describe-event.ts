import { isoTime } from '../core/iso-time.ts'
import { refusalAdvice } from '../core/refusal-advice.ts'
import { parseJson } from '../core/json.ts'
import { createMask } from '../core/mask-event.ts'
import type { RelayConfig } from '../config/load-relay.ts'
import type { ListedEvent, ShownEvent } from '../spool/listing.ts'
import { describeEntry } from '../spool/describe-entry.ts'
import { createKeyFinder } from '../spool/key-names.ts'

/** An event as people browse it: what `GET /events` lists, and more. */
export function describeListed(event: ListedEvent, config: RelayConfig): object {
  const { key, summary, settledAtMs, dueAtMs, httpStatus, note } = event
  const more = {
    summary,
    http_status: httpStatus,
    settled_at: isoTime(settledAtMs),
    next_attempt_at: isoTime(dueAtMs),
    note,
  }
  return {
    ...describeEntry(event, createKeyFinder(config.delivery.keys)(key)),
    ...(key.kind === 'own' ? createMask([key.key])(more) : more),
  }
}

/** Everything about one event. */
export function describeShown(event: ShownEvent, config: RelayConfig): object {
  const { key, kind, body, httpStatus, reason, status, lastAttempts } = event
  const advice =
    status === 'dead' && reason !== undefined
      ? refusalAdvice({
          kind,
          status: httpStatus,
          reason,
          region: config.delivery.region,
          routingKey: createKeyFinder(config.delivery.keys)(key),
        })
      : undefined
  const more = {
    last_attempts: lastAttempts.map(({ atMs, ms, httpStatus: answer, reason: why }) => ({
      at: isoTime(atMs),
      ms,
      status: answer,
      reason: why,
    })),
    event: body === undefined ? undefined : readBody(body),
    advice,
  }
  const mask = createMask([...config.delivery.secrets, ...(key.kind === 'own' ? [key.key] : [])])
  return { ...describeListed(event, config), ...mask(more) }
}

/** What is kept of an event; its text if a failing disk has altered it. */
function readBody(body: string): unknown {
  try {
    return parseJson(body)
  } catch {
    return body
  }
}
