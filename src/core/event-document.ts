import type { Action, Event, EventBody } from './event.ts'
import { Failure } from './failure.ts'
import { cleanObject, isObject, type JsonObject } from './json.ts'
import { createMask, maskMembers } from './mask-event.ts'
import { readEvent, type ReadEvent } from './normalize-event.ts'
import { replaceReferences } from './references.ts'
import { tokenKind } from './routing-key.ts'
import { createSecret, type Secret } from './secret.ts'

/** What the document refers to, and what it must not show. */
export interface UserEventContext {
  /** Value of an environment variable, for `${NAME}` in the document. */
  readonly lookUp: (name: string) => string | undefined
  /** Whether a variable holds a secret of this program, which no event may show. */
  readonly isSecret?: (name: string) => boolean
  /** The program's own secrets, which are masked wherever the document holds them. */
  readonly secrets?: readonly Secret[]
  /** A whole body of the same kind, for the members that the document leaves out. */
  readonly defaults: (kind: Event['kind'], action: Action) => EventBody
}

/**
 * Reads one event written in PagerDuty's JSON: replaces references, mends what can be mended without guessing, fills
 * in what is missing. The document's own values win. `event_action` present makes it an alert, else it is a change.
 * @param document parsed JSON
 * @throws Failure of kind `usage` that lists every problem by field
 */
export function readUserEvent(document: unknown, context: UserEventContext): ReadEvent {
  if (!isObject(document)) throw new Failure('usage', 'the event must be one JSON object')
  const kind = Object.hasOwn(document, 'event_action') ? 'alert' : 'change'
  const members = replaceReferences(cleanObject(document), context.lookUp, context.isSecret) as JsonObject
  const mask = createMask([...(context.secrets ?? []), ...ownKey(members)])
  const reading = readEvent(kind, maskMembers(members, mask), (action) => context.defaults(kind, action))
  if ('problems' in reading)
    throw new Failure('usage', reading.problems.map((problem) => `event: ${problem}`).join('\n'))
  const warnings = kind === 'change' && looksLikeAlert(members) ? [LOOKS_LIKE_ALERT] : []
  return { ...reading, warnings: [...warnings, ...reading.warnings] }
}

/** The key that the document brings along, a secret as good as any. */
function ownKey({ routing_key: key }: JsonObject): Secret[] {
  return typeof key === 'string' && tokenKind(key.trim()) === 'routing-key' ? [createSecret(key.trim())] : []
}

const LOOKS_LIKE_ALERT = 'the event has no event_action, so it is sent as a change event, which pages nobody'

function looksLikeAlert({ dedup_key: dedupKey, payload }: JsonObject): boolean {
  return dedupKey !== undefined || (isObject(payload) && Object.hasOwn(payload, 'severity'))
}
