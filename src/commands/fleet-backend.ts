import type { Session } from '../cli/session.ts'
import { composeEngine, composeSpool } from '../compose.ts'
import type { FleetConfig } from '../config/fleet.ts'
import { Failure } from '../core/failure.ts'
import { createCanonical } from '../fleet/canonical-key.ts'
import type { Engine } from '../fleet/engine.ts'
import { createFleetStore, isOfSpool, type OwnEvents } from '../fleet/event-store.ts'
import { createFleetDeployments } from '../fleet/relay-records.ts'
import { unlessLong, within } from '../fleet/within.ts'
import type { DeploymentStore } from '../spool/deployment-log.ts'
import { version } from '../version.ts'
import type { Backend } from './backend.ts'
import { createStoreBackend } from './store-backend.ts'

/** A database that does not answer must not keep the command from ending. */
const CLOSE_MS = 200

/** The events of a spool that is not there. */
const NOTHING: OwnEvents = {
  counts: () => ({ pending: 0, delivered: 0, dead: 0 }),
  oldestPendingAgeMs: () => undefined,
  list: () => [],
  find: () => [],
  show: () => undefined,
  retry: () => Promise.resolve({ retried: 0, leftOut: 0 }),
  previewRetry: () => Promise.resolve({ retried: 0, leftOut: 0, triggers: 0 }),
  discard: () => Promise.resolve(0),
  discardOne: () => Promise.resolve(false),
  setAside: () => [],
  onChange: () => () => undefined,
}

/**
 * The fleet, and what only this directory's spool has. If the fleet cannot be queried, lists are of the spool alone, which
 * `problem` then says; everything else fails.
 */
export async function openFleetBackend(session: Session, fleet: FleetConfig): Promise<Backend> {
  const { io, config, log } = session
  const { keys, timeoutMs } = config.delivery
  const engine = await composeEngine({ fleet, origin: 'command', version, connectTimeoutMs: timeoutMs / 2 })
  const spool =
    config.spool && (await composeSpool({ ...config.spool, onWarning: (message) => log.warn(message) }))
  const canonical = createCanonical(keys)
  const store = createFleetStore({
    engine,
    spool: spool ?? NOTHING,
    isShared: (key) => engine.keepsOwnKeys || canonical(key).kind === 'configured',
  })
  const reaching = createReaching(engine, { timeoutMs, signal: io.signal }, config.spool?.directory)
  const shared = createFleetDeployments(engine)
  const listed = (): DeploymentStore =>
    reaching.problem() === undefined || spool === undefined ? shared : spool.deployments
  const deployments: DeploymentStore = {
    list: (query) => listed().list(query),
    endedSince: (sinceMs) => listed().endedSince(sinceMs),
    note: (deployment, told) => shared.note(deployment, told),
  }
  const stored = createStoreBackend({ store, deployments, keys })
  return {
    events: async (status) => {
      await reaching.attempt()
      return await stored.events(status)
    },
    deployments: async (query) => {
      await reaching.attempt()
      return await stored.deployments(query)
    },
    change: async (action, choice) => {
      if (choice.id === undefined || !isOfSpool(choice.id)) await reaching.insist()
      return await stored.change(action, choice)
    },
    countFailure: async (event) => {
      await reaching.insist() // a spool knows only some of the failures in a row, so this one would page nobody
      return await stored.countFailure(event)
    },
    problem: reaching.problem,
    close: async () => {
      await unlessLong(CLOSE_MS, engine.close())
      await spool?.close()
    },
  }
}

/** Asks whether the fleet answers, once. */
interface Reaching {
  /** @throws Failure if it does not */
  readonly insist: () => Promise<void>
  /** The same for what a spool can answer in part, if there is one. */
  readonly attempt: () => Promise<void>
  /** Why only the spool answers; undefined if the fleet does. */
  readonly problem: () => Failure | undefined
}

function createReaching(
  engine: Pick<Engine, 'counts'>,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  directory: string | undefined,
): Reaching {
  let reached: Promise<void> | undefined
  let problem: Failure | undefined
  const reach = async (): Promise<void> => {
    try {
      await within(timeoutMs, engine.counts(), signal)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      throw new Failure(error.kind, `the fleet’s database cannot be queried: ${error.message}`)
    }
  }
  const insist = (): Promise<void> => (reached ??= reach())
  return {
    insist,
    attempt: async () => {
      try {
        await insist()
      } catch (error) {
        if (!(error instanceof Failure) || directory === undefined) throw error
        problem = new Failure(error.kind, `${error.message}; this is only what the spool in ${directory} has`)
      }
    },
    problem: () => problem,
  }
}
