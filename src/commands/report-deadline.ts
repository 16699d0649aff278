import type { Session } from '../cli/session.ts'

/** How long the report of a cancelled command may take, so that it is done before Docker sends SIGKILL after 10 s. */
const CANCELLED_MS = 4000

/** The session of a report, which has the whole deadline to itself, however long the command took. */
export function withReportDeadline(session: Session, isCancelled: boolean): Session {
  const { io, config } = session
  const { deadlineMs } = config.delivery
  const delivery = {
    ...config.delivery,
    deadlineMs: isCancelled ? Math.min(deadlineMs, CANCELLED_MS) : deadlineMs,
  }
  return { ...session, io: { ...io, startedAtMs: performance.now() }, config: { ...config, delivery } }
}
