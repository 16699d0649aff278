import { setTimeout as sleep } from 'node:timers/promises'
import type { Session } from '../cli/session.ts'
import { composeEngine } from '../compose.ts'
import type { FleetConfig } from '../config/fleet.ts'
import type { Event } from '../core/event.ts'
import { Failure } from '../core/failure.ts'
import { createCanonical } from '../fleet/canonical-key.ts'
import { unlessLong, within } from '../fleet/within.ts'
import { toSpoolKey } from '../spool/key-names.ts'
import { version } from '../version.ts'
import { toStartAnswer, type StartReporter, type StartAnswer } from './start-reporter.ts'

export interface FleetReporterOptions {
  readonly session: Session
  readonly fleet: FleetConfig
  /** As `buildStarted` makes it. */
  readonly event: Event
  /** Keeps the deadline if the fleet does not answer. */
  readonly spool: StartReporter | undefined
}

const PAUSE_MS = 1000
/** A database that does not answer must not keep the command from ending. */
const CLOSE_MS = 200

/**
 * Reports a start to the fleet, whose relays watch the clock. Each report opens a new connection: a command may run for
 * hours, and hundreds may run at once.
 */
export function createFleetReporter({ session, fleet, event, spool }: FleetReporterOptions): StartReporter {
  const { config, log } = session
  const { keys, timeoutMs } = config.delivery
  const { withinMs } = config.started
  const canonical = createCanonical(keys)
  const start = {
    event,
    keys: (keys.length > 0 ? keys.map(({ key }) => key) : [undefined]).map((key) =>
      canonical(toSpoolKey(key, keys)),
    ),
    ...(withinMs !== undefined && { withinMs }),
  }
  const reportToFleet = async (
    elapsedMs: number,
    budgetMs: number,
    signal: AbortSignal,
  ): Promise<StartAnswer> => {
    const limitMs = Math.min(timeoutMs, budgetMs)
    const engine = await composeEngine({ fleet, origin: 'command', version, connectTimeoutMs: limitMs / 2 })
    try {
      const begun = await within(limitMs, engine.deadlines.begin({ ...start, elapsedMs }), signal)
      const state = engine.state()
      return toStartAnswer(begun, {
        watcher: 'fleet',
        full: 'the fleet has too many deadlines',
        isConfiguration: state.kind === 'down' && state.isConfiguration,
      })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return { outcome: 'undelivered', reason: error.message }
    } finally {
      await unlessLong(CLOSE_MS, engine.close())
    }
  }
  return {
    describe: () => ({ fleet: nodesOf(fleet), within_ms: withinMs, event: event.body }),
    report: async (elapsedMs, budgetMs, signal) => {
      const endAtMs = performance.now() + budgetMs
      for (;;) {
        const leftMs = endAtMs - performance.now()
        const answer = await reportToFleet(elapsedMs + budgetMs - leftMs, leftMs, signal)
        if (answer.outcome === 'accepted' || signal.aborted) return answer
        if (spool !== undefined) {
          log.warn(
            `the fleet’s database cannot be queried: ${answer.reason}; the spool keeps the deployment’s start`,
          )
          return await spool.report(elapsedMs, budgetMs, signal)
        }
        if (answer.isConfiguration === true || endAtMs - performance.now() < PAUSE_MS) return answer
        log.debug(`the fleet was not told that the deployment has begun: ${answer.reason}`)
        await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined)
      }
    },
    close: async () => await spool?.close(),
  }
}

function nodesOf({ server }: FleetConfig): string {
  return server.hosts.map(({ host, port }) => `${host}:${port}`).join(',')
}
