import type { DatabaseSync } from 'node:sqlite'

/** A file is worth shrinking if it could lose so many pages, and what stays can be copied in a moment. */
const WORTH_PAGES = 64
const MOST_LIVE_PAGES = 2048
/** What the log's file is cut to after a burst. */
const LOG_FILE_BYTES = 64 << 20

/** Keeps the log small enough that the reserve can take what is in it. */
export function limitLog(db: DatabaseSync, logBytes: number): void {
  const pages = Math.max(8, Math.floor(logBytes / pageBytes(db)))
  // The file itself stays larger on an ordinary disk, since cutting and growing it again takes time.
  const fileBytes = pages >= 1000 ? LOG_FILE_BYTES : logBytes
  db.exec(`PRAGMA wal_autocheckpoint = ${pages}; PRAGMA journal_size_limit = ${fileBytes}`)
}

/** What is asked and done about the space that a store takes. */
export interface Space {
  /** Bytes within the file that nothing is kept in. */
  readonly freeBytes: () => number
  /** Moves what is in the log to the file and empties the log, as far as no reader needs it. */
  readonly emptyLog: () => void
  /** Gives the disk back what nothing is kept in, if that is much more than what is kept. */
  readonly shrink: () => void
}

export function createSpace(db: DatabaseSync): Space {
  const free = db.prepare('PRAGMA freelist_count')
  const total = db.prepare('PRAGMA page_count')
  const freePages = (): number => (free.get() as { freelist_count: number }).freelist_count
  const size = pageBytes(db)
  const emptyLog = (): void => db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  return {
    freeBytes: () => freePages() * size,
    emptyLog,
    shrink: () => {
      const unused = freePages()
      const { page_count: pages } = total.get() as { page_count: number }
      const live = pages - unused
      if (unused < WORTH_PAGES || unused < live || live > MOST_LIVE_PAGES) return
      db.exec('PRAGMA temp_store = MEMORY; VACUUM') // the copy that it makes may not be on the disk
      emptyLog()
    },
  }
}

function pageBytes(db: DatabaseSync): number {
  return (db.prepare('PRAGMA page_size').get() as { page_size: number }).page_size
}
