import type { AlertEvent, ChangeEvent } from './judge.ts'
import type { Effect } from './ledger.ts'
import { maskKey } from './mask.ts'

/** One line on what an alert event did, with its key masked. */
export function describeAlert(effect: Effect, dedupKey: string, event: AlertEvent): string {
  const { payload, event_action: action, routing_key: key } = event
  const where = `dedup key ${quote(dedupKey)}, routing key ${maskKey(key)}`
  if (effect === 'dropped') return `${action} dropped, no such alert is open: ${where}`
  if (payload === undefined) return `alert ${effect}: ${where}`
  return `alert ${effect}: ${quote(payload.summary)}, ${payload.severity}, ${where}`
}

/** One line on a change event, with its key masked. */
export function describeChange({ payload, routing_key: key }: ChangeEvent): string {
  return `change event: ${quote(payload.summary)}, routing key ${maskKey(key)}`
}

/** In quotes and on one line, whatever characters are in it. */
function quote(text: string): string {
  return JSON.stringify(text)
}
