import type { Secret } from '../core/secret.ts'
import type { EngineMembership } from './engine.ts'
import type { Lane } from './lane.ts'
import type { Member } from './member-conflicts.ts'
import type { Seal } from './seal.ts'

export interface MembershipParts {
  readonly lane: Lane
  readonly seal: Seal
  readonly relay: string
  /** Names this process, and no other. */
  readonly id: string
}

/** A row of `relay_processes`. */
export interface MemberRow {
  readonly relay: string
  readonly directory_mark: string | null
  readonly secret_mark: Buffer | null
  readonly key_names: readonly string[]
  readonly key_marks: readonly Buffer[]
  readonly started_ms_ago: number
  readonly seen_ms_ago: number
}

/** The part of an engine by which processes know of each other. */
export function createMembership({ lane, seal, relay, id }: MembershipParts): EngineMembership {
  return {
    introduce: async ({ directoryMark, keys }) => {
      const marks = [...marksOf(keys, seal)]
      const rows = await lane.run<MemberRow>(
        'SELECT * FROM pagerduty_alert.introduce($1, $2, $3, $4, $5, $6)',
        [
          id,
          relay,
          directoryMark ?? null,
          seal.mark,
          marks.map(([name]) => name),
          marks.map(([, mark]) => mark),
        ],
      )
      return rows.map(toMember)
    },
    members: async () => {
      const rows = await lane.run<MemberRow>('SELECT * FROM pagerduty_alert.relay_processes()')
      return rows.map(toMember)
    },
    leave: async () => {
      await lane.run('SELECT pagerduty_alert.leave($1, $2)', [id, relay])
    },
  }
}

/** Marks that tell keys apart, by the keys' names; none without PAGERDUTY_FLEET_SECRET. */
export function marksOf(keys: ReadonlyMap<string, Secret>, seal: Seal): Map<string, Buffer> {
  return new Map(
    [...keys].flatMap(([name, key]): [string, Buffer][] => {
      const mark = seal.markKey(key)
      return mark === null ? [] : [[name, mark]]
    }),
  )
}

/** A process as it is compared with others. */
export function toMember(row: MemberRow): Member {
  return {
    relay: row.relay,
    ...(row.directory_mark !== null && { directoryMark: row.directory_mark }),
    ...(row.secret_mark !== null && { secretMark: row.secret_mark.toString('hex') }),
    keyMarks: new Map(
      row.key_names.map((name, index) => [name, row.key_marks[index]?.toString('hex') ?? '']),
    ),
    startedMsAgo: row.started_ms_ago,
    seenMsAgo: row.seen_ms_ago,
  }
}
