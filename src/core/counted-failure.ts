import { buildTrigger, type EventInput } from './build-event.ts'
import type { Event } from './event.ts'
import { fitEvent } from './fit.ts'

/**
 * The alert of a failed deployment as it is counted, without the output. Undefined if it has no dedup key, by which later
 * deployments of the same thing are recognized.
 */
export function countedFailure(input: EventInput): Event | undefined {
  const { dedupKey } = input.identity
  if (dedupKey === undefined) return undefined
  const { output: _, ...result } = input.result
  return fitEvent(buildTrigger({ ...input, result }, { outcome: 'failure' }, dedupKey.value)).event
}
