import type { DatabaseSync } from 'node:sqlite'

/** A file is worth shrinking if it has that many unused pages, and few enough others to copy them quickly. */
const WORTH_PAGES = 64
const MOST_LIVE_PAGES = 2048
/** The size to which the log's file is cut after a burst. */
const LOG_FILE_BYTES = 64 << 20

/** Keeps the log so small that its content fits into the space of the reserve. */
export function limitLog(db: DatabaseSync, logBytes: number): void {
  const pages = Math.max(8, Math.floor(logBytes / pageBytes(db)))
  // On an ordinary disk the file itself may be larger, since cutting it and growing it again takes time.
  const fileBytes = pages >= 1000 ? LOG_FILE_BYTES : logBytes
  db.exec(`PRAGMA wal_autocheckpoint = ${pages}; PRAGMA journal_size_limit = ${fileBytes}`)
}

/** Measures and frees the space that a store occupies. */
export interface Space {
  /** Unused bytes in the file. */
  readonly freeBytes: () => number
  /** Moves the log's content to the file and empties the log, as far as no reader needs it. */
  readonly emptyLog: () => void
  /** Returns unused space to the disk if most of the file is unused. */
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
      db.exec('PRAGMA temp_store = MEMORY; VACUUM') // its copy must not need the disk
      emptyLog()
    },
  }
}

function pageBytes(db: DatabaseSync): number {
  return (db.prepare('PRAGMA page_size').get() as { page_size: number }).page_size
}
