import { oneLine } from '../core/mask-secrets.ts'

/** A process that works as a relay, as the others see it. */
export interface Member {
  /** The relay's name in the fleet. */
  readonly relay: string
  /** Tells the directories of spools apart; absent if that is not known. */
  readonly directoryMark?: string
  /** Which secret the marks of its keys were made with; absent if it has none. */
  readonly secretMark?: string
  /** What tells its PagerDuty keys apart, by the names under which events are stored. */
  readonly keyMarks: ReadonlyMap<string, string>
  readonly startedMsAgo: number
  readonly seenMsAgo: number
}

/** What is wrong with the settings of relays, each with what to do after a semicolon. */
export function findConflicts(members: readonly Member[]): string[] {
  return [...findCopies(members), ...findDifferentKeys(members)]
}

/**
 * Two relays of one name: a spool was copied, with the name in it. A relay that was restarted elsewhere, with its own disk, does
 * not count: its earlier process was not seen since then.
 */
function findCopies(members: readonly Member[]): string[] {
  const isCopy = (one: Member, other: Member): boolean =>
    one.directoryMark !== undefined &&
    other.directoryMark !== undefined &&
    one.directoryMark !== other.directoryMark &&
    one.seenMsAgo < other.startedMsAgo &&
    other.seenMsAgo < one.startedMsAgo
  const copied = [...Map.groupBy(members, ({ relay }) => relay)].filter(([, ofRelay]) =>
    ofRelay.some((one) => ofRelay.some((other) => isCopy(one, other))),
  )
  return copied.map(
    ([relay]) =>
      `two relays have the name ${oneLine(relay)}, because the spool of one is a copy of the other’s: lists and flush take their events for those of one relay; stop one of them, run flush with its PAGERDUTY_SPOOL, and start it with an empty directory`,
  )
}

function findDifferentKeys(members: readonly Member[]): string[] {
  /** By secret and name, the relays of each mark. */
  const found = new Map<string, Map<string, Set<string>>>()
  for (const { relay, secretMark, keyMarks } of members) {
    for (const [name, mark] of secretMark === undefined ? [] : keyMarks) {
      const place = JSON.stringify([name, secretMark])
      const marks = found.get(place) ?? new Map<string, Set<string>>()
      found.set(place, marks.set(mark, (marks.get(mark) ?? new Set()).add(relay)))
    }
  }
  const different = [...found].flatMap(([place, marks]) => {
    const [name] = JSON.parse(place) as [string]
    return marks.size < 2 ? [] : [{ name, relays: describeGroups([...marks.values()]) }]
  })
  // The first key has two names: its own, and that of a relay's default.
  return [...Map.groupBy(different, ({ relays }) => relays)].map(
    ([relays, names]) =>
      `relays have different PagerDuty keys under the same name (${listOf(names.map(({ name }) => name))}), ${relays}: events go out with the key of the relay that delivers them; give all relays the same keys under the same names`,
  )
}

function describeGroups(groups: readonly ReadonlySet<string>[]): string {
  return groups
    .map((relays, index) => `${index === 0 ? 'one' : 'another'} in ${listOf([...relays])}`)
    .join(', ')
}

const MAX_NAMED = 5

function listOf(names: readonly string[]): string {
  const named = names.slice(0, MAX_NAMED).map(oneLine).join(' and ')
  return names.length > MAX_NAMED ? `${named} and ${names.length - MAX_NAMED} others` : named
}
