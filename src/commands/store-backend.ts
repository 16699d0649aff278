import type { DeliveryConfig } from '../config/delivery.ts'
import { deploymentOf } from '../core/deployment.ts'
import { Failure } from '../core/failure.ts'
import { parseSince } from '../core/since.ts'
import { readDeploymentsPage, type DeploymentStore } from '../spool/deployment-log.ts'
import { deadFilterOf, describeEntry } from '../spool/describe-entry.ts'
import { createKeyFinder } from '../spool/key-names.ts'
import type { EventStore } from '../spool/listing.ts'
import type { Backend } from './backend.ts'

export interface StoreBackendParts {
  readonly store: Pick<EventStore, 'list' | 'counts' | 'retry' | 'discard'>
  readonly deployments: DeploymentStore
  readonly keys: DeliveryConfig['keys']
}

/** Events that one answer lists. */
const LISTED = 1000

/** Answers as a relay would, from what it would answer from: a spool or a fleet. */
export function createStoreBackend({
  store,
  deployments,
  keys,
}: StoreBackendParts): Omit<Backend, 'close' | 'problem'> {
  const secretOf = createKeyFinder(keys)
  return {
    events: async (status) => ({
      events: (await store.list(status, LISTED)).map((entry) => describeEntry(entry, secretOf(entry.key))),
      counts: await store.counts(),
    }),
    change: async (action, choice) => {
      const filter = deadFilterOf(choice, secretOf)
      if (action === 'discard') return { discarded: await store.discard(filter) }
      const { retried, leftOut } = await store.retry(filter)
      return { retried, ...(leftOut > 0 && { left_out: leftOut }) }
    },
    deployments: async ({ environment, outcome, since, before }) => {
      const sinceMs = since === undefined ? undefined : parseSince(since, Date.now())
      return await readDeploymentsPage(deployments, {
        ...(environment !== undefined && { environment }),
        ...(outcome !== undefined && { outcome: outcome as 'success' }),
        ...(sinceMs !== undefined && { sinceMs }),
        ...(before !== undefined && { beforeId: Number(before) }),
      })
    },
    countFailure: async (event) => {
      const deployment = deploymentOf(event, Date.now())
      if (deployment === undefined) throw new Failure('usage', 'its details do not say what was deployed')
      return await deployments.note(deployment)
    },
  }
}
