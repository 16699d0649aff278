import type { Session } from '../cli/session.ts'
import type { EventInput } from '../core/build-event.ts'
import { countedFailure } from '../core/counted-failure.ts'
import { describeStreak, isPaging } from '../core/failure-streak.ts'
import { Failure } from '../core/failure.ts'
import { openBackend } from './open-backend.ts'

/**
 * Has the relay or the spool record a failure before its event is made, and adds to the input how many in a row there are
 * now. If that is not known, the input stays as it is, and somebody is paged.
 */
export async function countFailure(session: Session, input: EventInput): Promise<EventInput> {
  const { config, log } = session
  const pagesAt = config.paging.after
  const event = countedFailure(input)
  if (event === undefined) {
    log.warn('failures are not counted, so this one pages: no repository is known')
    return input
  }
  if (config.dryRun) {
    log.info(`failures are not counted in a dry run; the alert is sent from failure ${pagesAt} in a row on`)
    return input
  }
  try {
    const backend = await openBackend(session)
    try {
      const streak = { failures: await backend.countFailure(event), pagesAt }
      if (!isPaging(streak)) log.warn(`nobody is paged: ${describeStreak(streak)}`)
      return { ...input, streak }
    } finally {
      await backend.close()
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    log.warn(`failures are not counted, so this one pages: ${error.message}`)
    return input
  }
}
