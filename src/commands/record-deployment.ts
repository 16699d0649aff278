import { deploymentOf } from '../core/deployment.ts'
import { Failure } from '../core/failure.ts'
import type { Delivery } from '../delivery/sender.ts'
import type { Log } from '../log.ts'
import type { DeploymentStore } from '../spool/deployment-log.ts'

/**
 * Records a deployment whose events did not all pass through the spool or the fleet, so that it knows what was deployed, and
 * how many failures in a row there are.
 */
export async function recordDeployment(
  store: Pick<DeploymentStore, 'note'>,
  deliveries: readonly Delivery[],
  log: Log,
): Promise<void> {
  const direct = deliveries.filter(({ outcome }) => outcome !== 'queued')
  if (direct.length === 0) return
  const told = direct.every(({ outcome }) => outcome === 'accepted') ? 'delivered' : 'dead'
  const deployments = deliveries.flatMap(({ post }) => deploymentOf(post.event, Date.now()) ?? [])
  try {
    for (const deployment of deployments) await store.note(deployment, told)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    log.warn(`the deployment could not be recorded: ${error.message}`)
  }
}
