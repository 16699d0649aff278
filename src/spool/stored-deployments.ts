import type { Connection } from './connection.ts'
import type { DeploymentLog } from './deployment-log.ts'
import { ifReadable, orFailure } from './errors.ts'
import { toldOf } from './deployment-table.ts'
import type { Unwritten } from './unwritten.ts'

/** Reads deployments, and how far their events have come, from a connection's store and what is not written to it yet. */
export function createStoredDeployments(connection: Connection, unwritten: Unwritten): DeploymentLog {
  return {
    list: (query) =>
      orFailure(() =>
        connection.read(({ reads }) =>
          reads.deployments(query).map((entry) => {
            const progress = entry.eventIds.map((id) => unwritten.progress(id) ?? reads.progress(id))
            const told = toldOf(
              progress.map(({ status }) => status),
              entry.told,
            )
            return { ...entry, ...(told !== undefined && { told }) }
          }),
        ),
      ),
    endedSince: (sinceMs) =>
      ifReadable(() => connection.read(({ reads }) => reads.deploymentsEndedSince(sinceMs))) ?? [],
  }
}
