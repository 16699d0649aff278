import type { DatabaseSync } from 'node:sqlite'
import { cutChars } from '../core/truncate.ts'
import type { Settlement, SpoolAttempt } from './spool.ts'
import { prepareGet, prepareRun } from './statements.ts'

/** How many attempts of one event are kept. */
const KEPT = 10
const MAX_REASON_CHARS = 200

/** The last attempts of events that failed at least once; the others cost nothing. */
export interface AttemptLog {
  /** @param earlier attempts made before this one */
  note(settlement: Settlement, earlier: number): void
  /** Forgets the attempts of events that no longer exist. */
  tidy(): void
}

/** Prepares the statements of writing. */
export function createAttemptLog(db: DatabaseSync): AttemptLog {
  const find = prepareGet<{ log: string }>(db, 'SELECT log FROM attempts WHERE id = ?')
  const write = prepareRun(db, 'INSERT OR REPLACE INTO attempts (id, log) VALUES (?, ?)')
  const tidy = prepareRun(
    db,
    `DELETE FROM attempts WHERE NOT EXISTS (SELECT 1 FROM pending WHERE id = attempts.id)
     AND NOT EXISTS (SELECT 1 FROM dead WHERE id = attempts.id)
     AND NOT EXISTS (SELECT 1 FROM delivered WHERE id = attempts.id)
     AND NOT EXISTS (SELECT 1 FROM discarded WHERE id = attempts.id)`,
  )
  return {
    note: (settlement, earlier) => {
      const { id, attempt } = settlement
      if (attempt === undefined || (settlement.kind === 'delivered' && earlier === 0)) return
      const log = [...readAttempts(find(id)?.log), { ...attempt, ...answerOf(settlement) }]
      write(id, JSON.stringify(log.slice(-KEPT)))
    },
    tidy: () => void tidy(),
  }
}

/** The attempts that a row holds; none if a failing disk has altered it. */
export function readAttempts(log: string | undefined): SpoolAttempt[] {
  if (log === undefined) return []
  try {
    return JSON.parse(log) as SpoolAttempt[]
  } catch {
    return []
  }
}

function answerOf(settlement: Settlement): Pick<SpoolAttempt, 'httpStatus' | 'reason'> {
  const { httpStatus } = settlement
  return {
    ...(httpStatus !== undefined && { httpStatus }),
    ...(settlement.kind !== 'delivered' && { reason: cutChars(settlement.reason, MAX_REASON_CHARS) }),
  }
}
