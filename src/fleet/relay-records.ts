import type { DeploymentStore } from '../spool/deployment-log.ts'
import type { Engine } from './engine.ts'

/** The fleet's deployments. */
export function createFleetDeployments(engine: Engine): DeploymentStore {
  return {
    list: (query) => engine.deployments(query),
    endedSince: (sinceMs) => engine.deploymentsEndedSince(sinceMs).catch(() => []),
    note: (deployment, told) => engine.noteDeployment(deployment, told),
  }
}
