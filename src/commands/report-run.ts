import type { RunConfig } from '../config/run.ts'
import { EXIT_CODE, Failure } from '../core/failure.ts'
import type { EventCommand } from '../core/plan-events.ts'
import type { CommandResult } from '../core/summary.ts'
import type { Ending } from '../run/supervise.ts'
import type { Tail } from '../run/output-tail.ts'
import type { maskedRun } from './masked-run.ts'
import { notify } from './notify.ts'
import { withReportDeadline } from './report-deadline.ts'
import { failureLine } from '../cli/report.ts'
import type { Session } from '../cli/session.ts'

/** What is known about a command. */
export interface Watched {
  readonly argv: readonly string[]
  readonly tail: Tail | undefined
  /** When it began, ISO 8601. */
  readonly startedAt: string
  readonly durationMs: number
  /** Undefined if it has not ended yet. */
  readonly ending: Ending | undefined
  readonly isCancelled: boolean
}

/**
 * Reports to PagerDuty how a command ended.
 * @returns the exit status of the report alone
 */
export async function reportRun(session: Session, watched: Watched): Promise<number> {
  const timed = withReportDeadline(session, watched.isCancelled)
  const { config, log } = timed
  const reporting = {
    ...timed,
    // A cancelled run has no time to ask.
    config: { ...config, confirm: config.confirm && !watched.isCancelled },
    exitStatus: (own: number) => watched.ending && runStatus(watched.ending, own, config.run.strict),
  }
  try {
    return await notify(reporting, outcomeOf(watched, config.run), await resultOf(watched, session))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    log.error(error.message)
    return reportNothing(session, watched.ending, error, config.run.strict)
  }
}

/**
 * Prints, with `--json`, that nothing was reported.
 * @returns the exit status of the report alone
 */
export function reportNothing(
  { io, json }: Pick<Session, 'io' | 'json'>,
  ending: Ending | undefined,
  failure: Failure,
  isStrict: boolean,
): number {
  const own = EXIT_CODE[failure.kind]
  if (json) io.writeOut(failureLine('run', failure, ending && runStatus(ending, own, isStrict)))
  return own
}

/**
 * The exit status of `run`: that of its command. Only with `--strict` does a success whose report failed become 65, 75 or 78.
 */
export function runStatus(ending: Ending, reportStatus: number, isStrict: boolean): number {
  const status = ending.exitCode
  return status === 0 && reportStatus !== 0 && isStrict ? strictStatus(reportStatus) : status
}

function strictStatus(reportStatus: number): number {
  const { refused, undelivered, config, usage } = EXIT_CODE
  if (reportStatus === refused) return refused
  return reportStatus === usage || reportStatus === config ? config : undelivered
}

function outcomeOf({ ending, isCancelled }: Watched, { isSoftFailure }: RunConfig): EventCommand {
  if (isCancelled || ending === undefined) return 'cancelled'
  const status = ending.exitCode
  if (status === 0) return 'success'
  return isSoftFailure(status) ? 'soft-failure' : 'failure'
}

async function resultOf(watched: Watched, session: Session): Promise<CommandResult> {
  const { startedAt, durationMs, ending, isCancelled } = watched
  const isFailure = ending !== undefined && ending.exitCode !== 0
  const showsOutput = isFailure || isCancelled
  return {
    ...(ending !== undefined && ending.kind !== 'killed' && isFailure && { exitCode: ending.exitCode }),
    ...(ending?.kind === 'killed' && { signal: ending.signal }),
    startedAt,
    durationSeconds: Math.round(durationMs) / 1000,
    ...((showsOutput || session.config.run.showCommand) && (await showRun(watched, session, showsOutput))),
  }
}

/** Loads the masker, which a success does not need. */
async function showRun(...run: Parameters<typeof maskedRun>): Promise<ReturnType<typeof maskedRun>> {
  const masked = await import('./masked-run.ts')
  return masked.maskedRun(...run)
}
