import { Failure } from '../core/failure.ts'
import { oneLine } from '../core/mask-secrets.ts'
import type { RestClient } from './client.ts'
import { askAll } from './query.ts'
import { describeService, ON_CALLS_ANSWER, type OnCall, type Service } from './resources.ts'

/**
 * Everybody who is on call for a service now, on every level of its escalation policy.
 * @throws Failure as `ask` does, or of kind `undelivered` if PagerDuty does not show the service's escalation policy
 */
export async function listOnCalls(client: RestClient, service: Service): Promise<OnCall[]> {
  const policy = service.escalation_policy
  if (policy === undefined) {
    throw new Failure(
      'undelivered',
      `cannot see who is on call: PagerDuty shows no escalation policy of ${describeService(service)}`,
    )
  }
  const pages = await askAll(client, {
    purpose: 'see who is on call',
    scope: 'oncalls.read',
    // Without `since` and `until`: at this moment (PagerDuty's OpenAPI).
    call: { method: 'GET', path: '/oncalls', query: [['escalation_policy_ids[]', policy.id]] },
    answer: ON_CALLS_ANSWER,
  })
  return pages.flatMap(({ oncalls }) => oncalls)
}

/** The most levels, and the most people of a level, that are named. */
const MAX_LEVELS = 3
const MAX_PEOPLE = 4

/**
 * Who is on call, as messages say it: `Jane Doe until Mon 09:00 UTC and John Roe; escalates to Ann Lee`.
 * @returns undefined if nobody is
 */
export function describeOnCalls(onCalls: readonly OnCall[], nowMs: number): string | undefined {
  const [first, ...others] = [...peopleByLevel(onCalls).entries()]
    .toSorted(([a], [b]) => a - b)
    .slice(0, MAX_LEVELS)
    .map(([, people]) => people)
  if (first === undefined) return undefined
  const now = join([...first].map(([name, end]) => `${name}${untilInWords(end, nowMs)}`))
  const later = others.map((people) => join([...people.keys()])).join(', then ')
  return later === '' ? now : `${now}; escalates to ${later}`
}

/** For each level its people and until when; a person only on the first of theirs. */
function peopleByLevel(onCalls: readonly OnCall[]): Map<number, Map<string, string | undefined>> {
  const levels = new Map<number, Map<string, string | undefined>>()
  const seen = new Map<string, number>()
  for (const { escalation_level: level = 1, user, end } of onCalls.toSorted(byLevelAndEnd)) {
    const name = personName(user)
    if ((seen.get(name) ?? level) < level) continue
    seen.set(name, level)
    levels.set(level, (levels.get(level) ?? new Map<string, string | undefined>()).set(name, end))
  }
  return levels
}

/** Of two times of one person on a level, the one that ends last comes last. */
function byLevelAndEnd(a: OnCall, b: OnCall): number {
  const endOf = ({ end }: OnCall): number => (end === undefined ? Infinity : Date.parse(end))
  const levels = (a.escalation_level ?? 1) - (b.escalation_level ?? 1)
  return levels === 0 && endOf(a) !== endOf(b) ? endOf(a) - endOf(b) : levels
}

/** More digits than any name has, so that it is a phone number. */
const PHONE_DIGITS = 7
const MAX_NAME_CHARS = 80

/**
 * A user as messages name it. A name that is an e-mail address or a phone number is replaced by the user's id: many people
 * who need neither read build logs.
 */
export function personName(
  user: { readonly id?: string | undefined; readonly summary?: string | undefined } = {},
): string {
  const name = oneLine(user.summary ?? '').trim()
  const digits = name.replaceAll(/\P{Nd}/gu, '').length
  if (name !== '' && !name.includes('@') && digits < PHONE_DIGITS) return name.slice(0, MAX_NAME_CHARS)
  return user.id === undefined ? 'somebody' : `user ${user.id}`
}

function join(names: readonly string[]): string {
  const shown = names.slice(0, MAX_PEOPLE)
  const hidden = names.length - shown.length
  const all = hidden === 0 ? shown : [...shown, hidden === 1 ? '1 other' : `${hidden} others`]
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** A weekday alone names a time only if it comes sooner than this. */
const WEEK_MS = 6 * 24 * 60 * 60_000

/**
 * When a shift ends, in the zone in which PagerDuty writes it, which is the account's: ` until Mon 09:00 UTC-05:00`.
 * @returns an empty text if it has no end, or one that cannot be read
 */
function untilInWords(end: string | undefined, nowMs: number): string {
  const [, wallClock, clock, offset] =
    /^(\d{4}-\d\d-\d\dT(\d\d:\d\d))(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/.exec(end ?? '') ?? []
  const wall = new Date(`${wallClock}Z`)
  if (end === undefined || offset === undefined || Number.isNaN(wall.getTime())) return ''
  const zone = offset === 'Z' || offset === '+00:00' ? 'UTC' : `UTC${offset}`
  const isSoon = Date.parse(end) - nowMs < WEEK_MS
  const date = `${wall.getUTCDate()} ${MONTHS[wall.getUTCMonth()]} ${wall.getUTCFullYear()}`
  return ` until ${isSoon ? DAYS[wall.getUTCDay()] : date} ${clock} ${zone}`
}
