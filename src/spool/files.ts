import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** The files of a spool. Their names say nothing of what they hold. */
export interface SpoolFiles {
  readonly store: string
  /** Locked by the process that delivers. */
  readonly lock: string
  /** Holds space for results, which new events may not take. */
  readonly reserve: string
}

/** What the name of a store that was set aside goes on with. */
const DAMAGED = '.damaged-'

/** Paths in a spool's directory. */
export function spoolFiles(directory: string): SpoolFiles {
  return {
    store: join(directory, 'spool.db'),
    lock: join(directory, 'deliver.lock'),
    reserve: join(directory, 'spool.reserve'),
  }
}

/** Makes directory and file for their owner alone: SQLite gives its other files the mode of this one. */
export function createPrivateFile(directory: string, path: string): void {
  makeDirectory(directory)
  // Closing any descriptor of a file gives up the locks that this process has on it, so none is opened without need.
  if (existsSync(path)) return
  closeSync(openSync(path, 'a', 0o600))
  giveAway(path, directory)
}

/** What root makes is for whoever has the directory, as SQLite's other files are for whoever has the store. */
function giveAway(path: string, directory: string): void {
  const { uid, gid } = statSync(directory)
  if (statSync(path).uid === uid) return
  try {
    chownSync(path, uid, gid)
  } catch {
    // only root may, with that capability and on a file system with owners
  }
}

/** Not by `recursive`, which goes round for ever where the kernel refuses with ENOENT, as under /proc (Node 24). */
function makeDirectory(path: string): void {
  if (existsSync(path) || dirname(path) === path) return // the latter where the working directory was deleted
  makeDirectory(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
    giveAway(path, dirname(path))
  } catch (error) {
    if (!existsSync(path)) throw error // else another process was faster
  }
}

/** Tells a file from another one that took its place. */
export function fileIdentity(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true })
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`
}

/**
 * Renames a store so that a new one can take its place and an expert can look at it: the names of its parts stay those
 * that SQLite expects.
 * @returns the new path
 */
export function setAside(store: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const named = (number: number): string => `${store}${DAMAGED}${stamp}${number === 1 ? '' : `-${number}`}`
  let number = 1
  while (existsSync(named(number))) number++
  const aside = named(number)
  for (const suffix of ['-wal', '-shm', '']) {
    if (existsSync(store + suffix)) renameSync(store + suffix, aside + suffix)
  }
  return aside
}

/** Names of the stores that were set aside and are still there. */
export function storesSetAside(directory: string): string[] {
  const prefix = basename(spoolFiles(directory).store) + DAMAGED
  try {
    return readdirSync(directory).filter((name) => name.startsWith(prefix) && !/-(wal|shm)$/.test(name))
  } catch {
    return [] // no directory, or one that may not be read: then nothing was set aside there
  }
}
