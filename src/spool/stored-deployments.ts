import { Failure } from '../core/failure.ts'
import type { Connection } from './connection.ts'
import type { SpoolTime } from './deadline-table.ts'
import type { DeploymentEntry, DeploymentLog } from './deployment-log.ts'
import type { Commits } from './group-commit.ts'
import { ifReadable, orFailure } from './errors.ts'
import { toldOf } from './deployment-table.ts'
import type { Unwritten } from './unwritten.ts'

interface StoredDeploymentsParts {
  readonly connection: Connection
  readonly commits: Commits
  readonly unwritten: Unwritten
  readonly time: () => SpoolTime
}

/**
 * Reads deployments, their deadlines, and how far their events have come, from a connection's store and what is not
 * written to it yet.
 */
export function createStoredDeployments({
  connection,
  commits,
  unwritten,
  time,
}: StoredDeploymentsParts): DeploymentLog {
  return {
    note: async (deployment, told) => {
      const written = await commits.write((store, tx) => store.note(tx, deployment, told))
      if (written.kind === 'unavailable') throw new Failure('undelivered', written.reason)
      return written.value
    },
    list: (query) =>
      orFailure(() =>
        connection.read(({ reads }) =>
          reads.deployments(query).map((entry) => {
            const progress = entry.eventIds.map((id) => unwritten.progress(id) ?? reads.progress(id))
            const told = toldOf(
              progress.map(({ status }) => status),
              entry.told,
            )
            const leftMs = isRunning(entry)
              ? reads.deadlineInMs(entry.identity, entry.buildId ?? '', time())
              : undefined
            return {
              ...entry,
              ...(told !== undefined && { told }),
              // By the system's time, like all others: the spool's clock may be off from it.
              ...(leftMs !== undefined && { dueAtMs: Date.now() + leftMs }),
            }
          }),
        ),
      ),
    endedSince: (sinceMs) =>
      ifReadable(() => connection.read(({ reads }) => reads.deploymentsEndedSince(sinceMs))) ?? [],
  }
}

function isRunning({ state }: DeploymentEntry): boolean {
  return state === 'started'
}
