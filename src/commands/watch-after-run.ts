import type { Session } from '../cli/session.ts'
import { EXIT_CODE, Failure } from '../core/failure.ts'
import type { RunWatch, RunWatchResult } from './run-watch.ts'

/** With `--watch`, what looks for new incidents; a Failure if the configuration does not allow that. */
export async function startWatch(session: Session | Failure): Promise<RunWatch | Failure | undefined> {
  if (session instanceof Failure || session.config.dryRun) return undefined
  const { afterRunMs } = session.config.watch
  if (afterRunMs === undefined) return undefined
  try {
    const { startRunWatch } = await import('./run-watch.ts')
    return startRunWatch(session, afterRunMs)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    session.log.error(error.message)
    return error
  }
}

/** The result after a success; undefined without `--watch`. A signal ends it. */
export async function finishWatch(
  watching: RunWatch | Failure | undefined,
  session: Session | Failure,
): Promise<RunWatchResult | undefined> {
  if (watching === undefined || session instanceof Failure) return undefined
  const { unknownResult } = await import('./run-watch.ts')
  if (watching instanceof Failure) return unknownResult(watching, EXIT_CODE.config)
  try {
    return await watching.afterSuccess(session)
  } catch (error) {
    if (error instanceof Failure) session.log.warn(`watch: ended early: ${error.message}`)
    if (error instanceof Failure) return unknownResult(error, EXIT_CODE.undelivered)
    throw error
  }
}
