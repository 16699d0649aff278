import { jsonAnswer, textAnswer, type Answer } from './answer.ts'
import { alertProblems, changeProblems, isObject, type JsonObject } from './validate.ts'
import { alertWords, changeWords } from './words.ts'

/** The largest body that PagerDuty accepts, in bytes. It says 512 KB; its own staff read that as this number. */
export const MAX_BODY_BYTES = 512_000

/** A valid alert event, as it was sent. */
export interface AlertEvent extends JsonObject {
  readonly routing_key: string
  readonly event_action: 'trigger' | 'acknowledge' | 'resolve'
  readonly dedup_key?: string
  readonly payload?: JsonObject & {
    readonly summary: string
    readonly source: string
    readonly severity: string
  }
}

/** A valid change event, as it was sent. */
export interface ChangeEvent extends JsonObject {
  readonly routing_key: string
  readonly payload: JsonObject & { readonly summary: string }
}

/** The result for a body: an event, or an answer that says why not, with the reasons in plain words. */
export type Verdict<Event> =
  | { accepted: true; event: Event }
  | { accepted: false; answer: Answer; reasons: readonly string[] }

type Refused = Verdict<never> & { accepted: false }

/**
 * Judges the body of `POST /v2/enqueue`.
 * @param isKnownKey whether a well-formed routing key belongs to an integration
 */
export function judgeAlert(body: Buffer, isKnownKey: (key: string) => boolean): Verdict<AlertEvent> {
  const event = readEvent(body)
  if (!('value' in event)) return event
  const errors = alertProblems(event.value).map(alertWords)
  if (errors.length > 0) {
    return refuse(400, { status: 'invalid event', message: 'Event object is invalid', errors }, errors)
  }
  const alert = event.value as AlertEvent
  return isKnownKey(alert.routing_key) ? { accepted: true, event: alert } : UNKNOWN_KEY
}

/**
 * Judges the body of `POST /v2/change/enqueue`. The key of an event orchestration (`R` and 31 capitals and digits)
 * is for alerts only. PagerDuty's answer to it here is not known, so it is treated as an unknown key.
 */
export function judgeChange(body: Buffer, isKnownKey: (key: string) => boolean): Verdict<ChangeEvent> {
  const event = readEvent(body)
  if (!('value' in event)) return event
  const errors = changeProblems(event.value).map(changeWords)
  if (errors.length > 0) return refuse(400, { error: errors }, errors)
  const change = event.value as ChangeEvent
  const isServiceKey = !/^R[A-Z0-9]{31}$/.test(change.routing_key)
  return isServiceKey && isKnownKey(change.routing_key) ? { accepted: true, event: change } : UNKNOWN_KEY
}

/** The body of a request as JSON; undefined if it is not JSON, is broken UTF-8 or has a byte order mark. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body))
  } catch {
    return undefined
  }
}

const UNKNOWN_KEY: Refused = {
  accepted: false,
  answer: textAnswer(400, 'Invalid routing key'),
  reasons: ['Invalid routing key'],
}

function readEvent(body: Buffer): { value: JsonObject } | Refused {
  if (body.length > MAX_BODY_BYTES) {
    // PagerDuty's real answer is not known; 413 is the status for this.
    const answer = textAnswer(413, 'Request Entity Too Large')
    return { accepted: false, answer, reasons: [`a body of ${body.length} bytes`] }
  }
  const value = parseJson(body)
  if (isObject(value)) return { value }
  // Observed for text that is not JSON; for JSON that is not an object it is an assumption.
  const errors = ['JSON parse error']
  return refuse(
    400,
    { status: 'Unrecognized object', message: 'Event object format is unrecognized', errors },
    errors,
  )
}

function refuse(status: number, body: unknown, reasons: readonly string[]): Refused {
  return { accepted: false, answer: jsonAnswer(status, body), reasons }
}
