import type { Settlement, SpoolQueue } from './spool.ts'
import type { Commits } from './group-commit.ts'
import type { Connection } from './connection.ts'
import { ifReadable } from './errors.ts'
import type { Remembered, Unwritten } from './unwritten.ts'

/** How long results are only remembered after they could not be written. */
const REWRITE_MS = 500
/** Results that are written at once. */
const WRITTEN_AT_ONCE = 500

export interface ResultsOptions {
  readonly connection: Connection
  readonly commits: Commits
  readonly unwritten: Unwritten
  /** Is told of what is remembered, as of what is committed. */
  readonly onRemembered: (remembered: Remembered) => void
}

/** Writes results, or remembers them until that can be done. */
export interface Results extends Pick<SpoolQueue, 'settle' | 'unwritten'> {
  /** Tries once more at the end. */
  close(): Promise<void>
}

/** Results of one spool. */
export function createResults({ connection, commits, unwritten, onRemembered }: ResultsOptions): Results {
  let failure: { readonly reason: string; readonly untilMs: number } | undefined
  let writing: Promise<string | undefined> | undefined

  const write = async (settlements: readonly Settlement[]): Promise<string | undefined> => {
    const written = await commits.write(({ settle }, tx) => {
      for (const settlement of settlements) settle(tx, settlement)
    }, 'reserve')
    return written.kind === 'written' ? undefined : written.reason
  }
  const remember = (settlements: readonly Settlement[]): void => {
    const remembered = ifReadable(() =>
      connection.read(({ reads }) => unwritten.remember(reads, settlements)),
    )
    if (remembered !== undefined) onRemembered(remembered)
  }
  const note = (reason: string | undefined): string | undefined => {
    failure = reason === undefined ? undefined : { reason, untilMs: performance.now() + REWRITE_MS }
    return reason
  }
  const writeRemembered = async (): Promise<string | undefined> => {
    while (unwritten.size() > 0) {
      const some = unwritten.take(WRITTEN_AT_ONCE)
      const reason = await write(some)
      if (reason !== undefined) return note(reason)
      unwritten.forget(some.length)
    }
    return note(undefined)
  }
  const startWriting = (): Promise<string | undefined> =>
    (writing ??= writeRemembered().finally(() => (writing = undefined)))
  return {
    unwritten: () => unwritten.size(),
    settle: async (settlements) => {
      if (unwritten.size() === 0) {
        const reason = await write(settlements)
        if (reason === undefined || settlements.length === 0) return reason
        note(reason)
        remember(settlements)
        return reason
      }
      remember(settlements)
      if (failure !== undefined && performance.now() < failure.untilMs) return failure.reason
      return await startWriting()
    },
    close: async () => {
      if (unwritten.size() > 0) await startWriting()
    },
  }
}
