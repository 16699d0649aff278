import type { Deployment } from '../core/deployment.ts'
import type {
  DeploymentLog,
  DeploymentEntry,
  DeploymentQuery,
  DeliveryState,
} from '../spool/deployment-log.ts'
import type { ListedEvent, RetryPreview, Search, ShownEvent } from '../spool/listing.ts'
import type { DeadFilter, Progress, Retried, SpoolCounts, SpoolKey } from '../spool/spool.ts'

/** An event as people see it. */
export interface FleetPlace {
  /** The relay that accepted it. */
  readonly origin: string
  /** The relay that delivers its key; absent if none does. */
  readonly owner?: string
}
export type FleetEvent = ListedEvent & FleetPlace
export type FleetShown = ShownEvent & FleetPlace

export interface FleetSearch extends Search {
  /** Only events that this relay accepted. */
  readonly origin?: string
  /** Only events with larger ids; the oldest come first then. */
  readonly afterId?: number
}

/** A key as the server has it. */
export interface FleetKey {
  readonly keyId: number
  /** How the key is stored: a configured one by its name. */
  readonly key: SpoolKey
  readonly owner?: string
  /** How long the owner's lease lasts; 0 if it is over. */
  readonly leaseMs: number
  /** Permits that were given in the last minute. */
  readonly usedLastMinute: number
}

/** An alert, under the name that its key has in the fleet. */
export interface FleetAlert {
  readonly key: SpoolKey
  readonly dedupKey: string
}

/** What people read and change. */
export interface EngineListing {
  /** Counts up to 100,001 of each status. */
  counts(): Promise<SpoolCounts>
  oldestPendingAgeMs(): Promise<number | undefined>
  /** Events that match, the newest first. */
  find(search: FleetSearch): Promise<FleetEvent[]>
  show(id: number): Promise<FleetShown | undefined>
  /** In the order of the ids; an event that no longer exists counts as delivered. */
  progress(ids: readonly number[]): Promise<Progress[]>
  /** How many events of this relay (or of all) are pending; counted up to 100,001. */
  pending(scope: 'own' | 'all'): Promise<number>
  /** How many events of all relays are pending, counted up to a limit. */
  countPending(most: number): Promise<number>
  /** Whether each of these alerts has a pending event. A key that the fleet does not take must not be asked for. */
  areAlertsPending(alerts: readonly FleetAlert[]): Promise<boolean[]>
  /** The ids of this relay's events, by their origin ids; undefined for one that was never added. */
  idsOf(originIds: readonly string[]): Promise<(number | undefined)[]>
  retry(filter: DeadFilter): Promise<Retried>
  previewRetry(filter: DeadFilter): Promise<RetryPreview>
  /** Removes dead events for good. Returns how many. */
  discard(filter: DeadFilter): Promise<number>
  /** Discards one dead event, and keeps the reason. Returns false if it is not dead. */
  discardOne(id: number, note: string): Promise<boolean>
  keys(): Promise<FleetKey[]>
  deployments(query: DeploymentQuery): Promise<DeploymentEntry[]>
  /** As `DeploymentLog.note`: records a deployment without events, and returns how many failures in a row there are now. */
  noteDeployment(deployment: Deployment, told?: DeliveryState): Promise<number>
  deploymentsEndedSince(sinceMs: number): Promise<ReturnType<DeploymentLog['endedSince']>>
}
