import type { Connection } from './connection.ts'
import type { SpoolTime } from './deadline-table.ts'
import { ifReadable, orFailure } from './errors.ts'
import type { Forwarding } from './forwarding.ts'
import type { Commits } from './group-commit.ts'

/** The forwarding side of an open spool. */
export function createForwarding(
  connection: Connection,
  commits: Commits,
  time: () => SpoolTime,
): Forwarding {
  return {
    reserveIds: async (count, least, skip = 0) => {
      const written = await commits.write((_store, tx) => {
        const first = Math.max(tx.nextId, Math.round(least)) + skip
        tx.nextId = first + count
        return first
      })
      return written.kind === 'written' ? written.value : undefined
    },
    oldest: (limit, keys) => orFailure(() => connection.read(({ reads }) => reads.oldest(limit, keys))),
    deploymentsOf: (ids) => orFailure(() => connection.read(({ reads }) => reads.deploymentsOf(ids))),
    eventsOfDeployment: (deployment) =>
      orFailure(() => connection.read(({ reads }) => reads.eventsOfDeployment(deployment))),
    deadlines: (limit) => orFailure(() => connection.read(({ reads }) => reads.heldDeadlines(limit, time()))),
    removeDeadline: async (row) => {
      const written = await commits.write(({ removeDeadline }) => removeDeadline(row), 'reserve')
      return written.kind === 'written' ? undefined : written.reason
    },
    remove: async (ids) => {
      const written = await commits.write(({ remove }, tx) => remove(tx, ids), 'reserve')
      return written.kind === 'written' ? undefined : written.reason
    },
    untold: (limit) => ifReadable(() => connection.read(({ reads }) => reads.untold(limit))) ?? [],
    keepUntold: async (untold) =>
      void (await commits.write(({ untold: { keep } }) => keep(untold), 'reserve')),
    forgetUntold: async (ids) =>
      void (await commits.write(({ untold: { forget } }) => forget(ids), 'reserve')),
  }
}
