import { fileErrorReason } from '../core/file-error.ts'
import { Failure } from '../core/failure.ts'
import { MAX_DIRECTORY_BYTES, PATH_TOO_LONG } from './files.ts'

/**
 * The meaning of an error of the store.
 *
 * - `busy`: another process is writing; it will work in a moment
 * - `damaged`: the file is not as SQLite wrote it
 * - `unavailable`: the disk is full, read-only or failing; it may work later
 */
export type StoreProblem = { readonly kind: 'busy' | 'damaged'; readonly reason: string } | Unavailable

/** Why the store cannot be used now. */
export interface Unavailable {
  readonly kind: 'unavailable'
  readonly reason: string
  /** Results of deliveries cannot be written either, as they can to a full disk. */
  readonly isReadOnly?: true
}

const DAMAGED: StoreProblem = { kind: 'damaged', reason: 'the spool is damaged' }

/** SQLite's result codes (sqlite.org/rescode.html), mostly primary ones, which are the low byte of the extended ones. */
const RESULT: Readonly<Record<number, StoreProblem>> = {
  3: { kind: 'unavailable', reason: 'the spool cannot be written: permission denied' },
  5: { kind: 'busy', reason: 'another process is writing to the spool' },
  6: { kind: 'busy', reason: 'another process is writing to the spool' },
  7: { kind: 'unavailable', reason: 'out of memory for the spool' },
  8: { kind: 'unavailable', reason: 'the spool is read-only', isReadOnly: true },
  10: { kind: 'unavailable', reason: 'the spool’s disk is failing' },
  11: DAMAGED,
  13: { kind: 'unavailable', reason: 'the spool’s disk is full' },
  14: {
    kind: 'unavailable',
    reason: 'the spool cannot be opened; check that its directory exists and is writable',
    isReadOnly: true, // how SQLite reports a read-only file system if the log is missing
  },
  22: { kind: 'unavailable', reason: 'the spool’s file is too large for its disk' },
  26: DAMAGED,
  522: DAMAGED, // the file is too short
  1555: DAMAGED, // a duplicate id: ids are never used twice
}

/** Why a directory or file cannot be created, by errno. */
const MAKING: Readonly<Record<string, string>> = {
  ENOENT: 'no directory can be created there',
  EEXIST: 'a symbolic link in it leads nowhere',
  EIO: 'the disk is failing',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  [PATH_TOO_LONG]: `its path is too long; SQLite allows ${MAX_DIRECTORY_BYTES} bytes`,
}

/** An error in SQLite's form, by its result code. */
export function storeError(message: string, errcode: number): Error {
  return Object.assign(new Error(message), { errcode })
}

/** The problem behind an error; undefined for one that is neither SQLite's nor the file system's, so a bug. */
export function storeProblem(error: unknown): StoreProblem | undefined {
  if (!(error instanceof Error)) return undefined
  if (error instanceof Failure) return { kind: 'unavailable', reason: error.message }
  if ('errcode' in error && typeof error.errcode === 'number')
    return RESULT[error.errcode] ?? RESULT[error.errcode & 0xff]
  if ('code' in error && error.code === 'ERR_OUT_OF_RANGE') return DAMAGED // a number that this program never writes
  if ('syscall' in error && 'code' in error) {
    const why = MAKING[String(error.code)] ?? fileErrorReason(error)
    const reason = `the spool cannot be created in PAGERDUTY_SPOOL: ${why}`
    return { kind: 'unavailable', reason, ...(error.code === 'EROFS' && { isReadOnly: true }) }
  }
  return undefined
}

/** Why the store cannot be used. @throws the error if it is a bug and not the store's */
function reasonOf(error: unknown): string {
  const problem = storeProblem(error)
  if (problem === undefined) throw error
  return problem.reason
}

/** The same, but undefined if another process is just writing. */
export function lastingReasonOf(error: unknown): string | undefined {
  return storeProblem(error)?.kind === 'busy' ? undefined : reasonOf(error)
}

/** Returns what was read, or undefined if the store cannot be read. */
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
