import type { Deadlines } from '../spool/deadlines.ts'
import type { DeploymentStore } from '../spool/deployment-log.ts'
import type { SpoolKey } from '../spool/spool.ts'
import type { Engine } from './engine.ts'
import { within } from './within.ts'
import { BUDGET_MS } from './write-through.ts'

/** The fleet's deployments. */
export function createFleetDeployments(engine: Engine): DeploymentStore {
  return {
    list: (query) => engine.deployments(query),
    endedSince: (sinceMs) => engine.deploymentsEndedSince(sinceMs).catch(() => []),
    note: (deployment, told) => engine.noteDeployment(deployment, told),
  }
}

/**
 * The fleet's deadlines.
 * @param mayExpire false while an outcome may still be in this relay’s spool; what is in those of others is not known
 */
export function createFleetDeadlines(
  { deadlines }: Engine,
  canonical: (key: SpoolKey) => SpoolKey,
  mayExpire: () => boolean,
): Deadlines {
  return {
    counts: () => deadlines.counts(),
    begin: ({ keys, ...start }) => deadlines.begin({ ...start, keys: keys.map(canonical) }),
    expire: async () => {
      const nothing = { missed: [], nextInMs: undefined }
      return mayExpire() ? await within(BUDGET_MS, deadlines.expire()).catch(() => nothing) : nothing
    },
  }
}
