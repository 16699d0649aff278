import { z } from 'zod'
import type { RelayConfig } from '../config/load-relay.ts'
import { keyFilterOf } from '../spool/describe-entry.ts'
import { createKeyFinder } from '../spool/key-names.ts'
import type { EventFilter } from '../spool/spool.ts'
import { RELAY_LIMITS } from './limits.ts'

/** What events can be selected by. */
const FILTER = {
  key: z.string().min(1).optional().describe('Only the events of this key, in full or as the list masks it.'),
  kind: z.enum(['alert', 'change']).optional(),
  dedup_key: z
    .string()
    .min(1)
    .optional()
    .describe('Only events whose dedup key contains this, in either case.'),
  answer: z
    .enum(['none', '4xx', '429', '5xx'])
    .optional()
    .describe('Only events whose last attempt got this answer; none if there was no answer.'),
}

/** Which dead events are meant: one by its id, or all that match. */
export const DEAD_SCHEMA = z.strictObject({
  id: z.int().positive().optional().describe('One event, by its id in the list.'),
  ...FILTER,
})

/** The same, or only their number. */
export const RETRY_SCHEMA = z.strictObject({
  ...DEAD_SCHEMA.shape,
  dry_run: z.boolean().optional().describe('Only count them.'),
})

/** The parameters of `GET /events` with `order=newest`. */
export const SEARCH_SCHEMA = z.object({
  order: z.literal('newest').describe('Newest first, with more details of each.'),
  status: z.enum(['pending', 'delivered', 'dead', 'discarded']).optional(),
  before: z.coerce
    .number()
    .int()
    .positive()
    .optional()
    .describe('With order: only ids below this one, the last of the previous page.'),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(RELAY_LIMITS.listed)
    .default(200)
    .describe('With order: how many to list.'),
  ...FILTER,
})

type Filter = Pick<z.infer<typeof SEARCH_SCHEMA>, keyof typeof FILTER>

/** The filter that a query or a body asks for. */
export function eventFilterOf(
  { key: given, kind, dedup_key: dedupKey, answer }: Filter,
  { delivery }: RelayConfig,
): EventFilter {
  return {
    ...keyFilterOf(given, createKeyFinder(delivery.keys)),
    ...(kind !== undefined && { kind }),
    ...(dedupKey !== undefined && { dedupKey }),
    ...(answer !== undefined && { answer }),
  }
}
