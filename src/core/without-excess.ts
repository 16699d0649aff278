import type { JsonObject } from './json.ts'

/** Most members that an object of an event is read with; PagerDuty knows nine of a payload. */
const MAX_MEMBERS = 1000

/** The note on an object that has more. */
export const EXCESS_NOTE = `only the first members that PagerDuty does not know are kept (${MAX_MEMBERS} members in all)`

/** An object's first members, and those that are known, wherever they are; the same object if it has no more. */
export function withoutExcess(members: JsonObject, known: readonly string[]): JsonObject {
  if (Object.keys(members).length <= MAX_MEMBERS) return members
  return Object.fromEntries(
    Object.entries(members).filter(([name], index) => index < MAX_MEMBERS || known.includes(name)),
  )
}
