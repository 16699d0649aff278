import { Failure } from '../core/failure.ts'
import type { Connection } from './connection.ts'
import type { SpoolTime, StoredDeadline } from './deadline-table.ts'
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
        connection.read(({ reads }) => {
          const entries = reads.deployments(query)
          const deadlines = entries.some(isRunning) ? reads.deadlines(time()) : []
          return entries.map((entry) => {
            const progress = entry.eventIds.map((id) => unwritten.progress(id) ?? reads.progress(id))
            const told = toldOf(
              progress.map(({ status }) => status),
              entry.told,
            )
            return { ...entry, ...(told !== undefined && { told }), ...dueOf(entry, deadlines) }
          })
        }),
      ),
    endedSince: (sinceMs) =>
      ifReadable(() => connection.read(({ reads }) => reads.deploymentsEndedSince(sinceMs))) ?? [],
  }
}

function isRunning({ state }: Pick<DeploymentEntry, 'state'>): boolean {
  return state === 'started'
}

/** The deadline is shown by the system's time, like all others: the spool's clock may be off from it. */
function dueOf(
  { state, identity, buildId = '' }: Pick<DeploymentEntry, 'state' | 'identity' | 'buildId'>,
  deadlines: readonly StoredDeadline[],
): { dueAtMs?: number } {
  if (!isRunning({ state })) return {}
  const found = deadlines.find((each) => each.identity === identity && each.build === buildId)
  return found === undefined ? {} : { dueAtMs: Date.now() + found.left_ms }
}
