import type { Session } from '../cli/session.ts'
import { composeSpool } from '../compose.ts'
import type { SpoolConfig } from '../config/spool.ts'
import type { Event } from '../core/event.ts'
import { toSpoolKey } from '../spool/key-names.ts'
import { toStartAnswer, type StartReporter } from './start-reporter.ts'

export interface SpoolReporterOptions {
  readonly session: Session
  readonly spool: SpoolConfig
  /** As `buildStarted` makes it. */
  readonly event: Event
}

/** Reports a start to a spool, whose deadlines a relay or `flush` watches. The spool is opened with the first report. */
export function createSpoolReporter({ session, spool: options, event }: SpoolReporterOptions): StartReporter {
  const { config, log } = session
  const { delivery, started } = config
  const { keys } = delivery
  const { withinMs } = started
  const { directory, limit } = options
  const open = async (): Promise<Awaited<ReturnType<typeof composeSpool>>> =>
    await composeSpool({ directory, limit, onWarning: (message) => log.warn(message) })
  let opened: ReturnType<typeof open> | undefined
  return {
    describe: () => ({ spool: directory, within_ms: withinMs, event: event.body }),
    report: async (elapsedMs) => {
      const spool = await (opened ??= open())
      const begun = await spool.deadlines.begin({
        event,
        keys: keys.length > 0 ? keys.map(({ key }) => toSpoolKey(key, keys)) : [toSpoolKey(undefined, [])],
        ...(withinMs !== undefined && { withinMs }),
        elapsedMs,
      })
      return toStartAnswer(begun, { watcher: 'spool', full: 'the spool has too many deadlines' })
    },
    close: async () => await (await opened)?.close(),
  }
}
