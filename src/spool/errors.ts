import { fileErrorReason } from '../core/file-error.ts'
import { Failure } from '../core/failure.ts'

/**
 * What an error of the store means.
 *
 * - `busy`: another process is writing; a little later it is not
 * - `damaged`: the file is not what SQLite wrote
 * - `unavailable`: the disk is full, read-only or failing; it may work later
 */
export interface StoreProblem {
  readonly kind: 'busy' | 'damaged' | 'unavailable'
  readonly reason: string
}

const DAMAGED: StoreProblem = { kind: 'damaged', reason: 'the spool is damaged' }

/** SQLite's result codes (sqlite.org/rescode.html), mostly primary ones: the higher bits of an extended one say more. */
const RESULT: Readonly<Record<number, StoreProblem>> = {
  3: { kind: 'unavailable', reason: 'the spool may not be written: permission denied' },
  5: { kind: 'busy', reason: 'another process is writing to the spool' },
  6: { kind: 'busy', reason: 'another process is writing to the spool' },
  7: { kind: 'unavailable', reason: 'there is no memory left for the spool' },
  8: { kind: 'unavailable', reason: 'the spool is read-only' },
  10: { kind: 'unavailable', reason: 'the disk of the spool fails' },
  11: DAMAGED,
  13: { kind: 'unavailable', reason: 'the disk of the spool is full' },
  14: {
    kind: 'unavailable',
    reason: 'the spool cannot be opened; check that its directory is there and writable',
  },
  22: { kind: 'unavailable', reason: 'the disk of the spool cannot hold so large a file' },
  26: DAMAGED,
  522: DAMAGED, // the file ends before it should
  1555: DAMAGED, // an id that is there already, and ids are never used twice
}

/** What keeps a directory or a file from being made, by errno, where that is said in words of its own. */
const MAKING: Readonly<Record<string, string>> = {
  ENOENT: 'no directory can be made there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
}

/** An error in SQLite's form, by its result code. */
export function storeError(message: string, errcode: number): Error {
  return Object.assign(new Error(message), { errcode })
}

/** What is wrong with the store; undefined for an error that is neither SQLite's nor the file system's, so a bug. */
export function storeProblem(error: unknown): StoreProblem | undefined {
  if (!(error instanceof Error)) return undefined
  if (error instanceof Failure) return { kind: 'unavailable', reason: error.message }
  if ('errcode' in error && typeof error.errcode === 'number')
    return RESULT[error.errcode] ?? RESULT[error.errcode & 0xff]
  if ('code' in error && error.code === 'ERR_OUT_OF_RANGE') return DAMAGED // a number that nobody has written
  if ('syscall' in error && 'code' in error) {
    const why = MAKING[String(error.code)] ?? fileErrorReason(error)
    return { kind: 'unavailable', reason: `no spool can be kept where PAGERDUTY_SPOOL says: ${why}` }
  }
  return undefined
}

/** Why the store cannot be used. @throws the error, where it is a bug and no problem of the store */
function reasonOf(error: unknown): string {
  const problem = storeProblem(error)
  if (problem === undefined) throw error
  return problem.reason
}

/** As `reasonOf`, and undefined for another process's transaction: a little later it is over. */
export function lastingReasonOf(error: unknown): string | undefined {
  return storeProblem(error)?.kind === 'busy' ? undefined : reasonOf(error)
}

/** What was read, or undefined where the store cannot be read. */
export function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    reasonOf(error)
    return undefined
  }
}

/**
 * Does work for callers outside the spool, who do not know SQLite's errors.
 * @throws a Failure with the reason if the store has a problem
 */
export function orFailure<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new Failure('undelivered', reasonOf(error), { cause: error })
  }
}
