import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** The paths of a spool's files. Their names say nothing about their content. */
export interface SpoolFiles {
  readonly store: string
  /** Locked by the process that delivers. */
  readonly lock: string
  /** Occupies disk space for results, which new events must not use. */
  readonly reserve: string
}

/** Comes after the name of a store that was set aside. */
const DAMAGED = '.damaged-'

/** Paths in a spool's directory. */
export function spoolFiles(directory: string): SpoolFiles {
  return {
    store: join(directory, 'spool.db'),
    lock: join(directory, 'deliver.lock'),
    reserve: join(directory, 'spool.reserve'),
  }
}

/**
 * Longest path of a spool's directory, in bytes. SQLite opens no path of more than 504 (MAX_PATHNAME in its os_unix.c, less
 * the name of a log), and the longest name of a file is `/deliver.lock`.
 */
export const MAX_DIRECTORY_BYTES = 490
/** The code of the error for a longer one. */
export const PATH_TOO_LONG = 'PATH_TOO_LONG'

function checkLength(directory: string): void {
  if (Buffer.byteLength(resolve(directory)) > MAX_DIRECTORY_BYTES) throw fileError(PATH_TOO_LONG)
}

/**
 * Checks that a directory exists, or could be created, and takes new files. Changes nothing.
 * @throws an error of the file system if not
 */
export function checkCreatable(directory: string): void {
  checkLength(directory)
  let existing = resolve(directory)
  while (!existsSync(existing) && dirname(existing) !== existing) {
    if (isSymbolicLink(existing)) throw fileError('EEXIST')
    existing = dirname(existing)
  }
  if (!statSync(existing).isDirectory()) throw fileError('ENOTDIR')
  accessSync(existing, constants.W_OK | constants.X_OK)
}

/** False also if its directory cannot be searched. */
function isSymbolicLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink()
  } catch {
    return false
  }
}

/** An error such as `mkdir` throws. */
function fileError(code: string): Error {
  return Object.assign(new Error(code), { code, syscall: 'mkdir' })
}

/** Creates a directory and a file for their owner alone. SQLite gives its other files the mode of this one. */
export function createPrivateFile(directory: string, path: string): void {
  checkLength(directory)
  makeDirectory(directory)
  // Closing any descriptor of a file releases all of this process's locks on it (POSIX), so open it only if necessary.
  if (existsSync(path)) return
  try {
    closeSync(openSync(path, 'ax', 0o600)) // not through a symbolic link, which may lead anywhere
  } catch (error) {
    if (existsSync(path)) return // another process was faster
    throw error
  }
  giveAway(path, directory)
}

/** Files that root creates go to the directory's owner, as SQLite's other files go to the store's owner. */
function giveAway(path: string, directory: string): void {
  const { uid, gid } = statSync(directory)
  if (statSync(path).uid === uid) return
  try {
    lchownSync(path, uid, gid)
  } catch {
    // needs root, CAP_CHOWN and a file system with owners
  }
}

/** Not with `recursive: true`: it loops forever on ENOENT, as under /proc (Node 24). */
function makeDirectory(path: string): void {
  if (existsSync(path) || dirname(path) === path) return // its own parent if the working directory was deleted
  makeDirectory(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
    giveAway(path, dirname(path))
  } catch (error) {
    if (!existsSync(path)) throw error // otherwise another process was faster
  }
}

/** Identifies a file, even after another one has taken its name; undefined if there is none. */
export function fileIdentity(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true })
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`
}

/**
 * Renames a store, so that a new one can take its place and an expert can examine it. Its log keeps the name that SQLite
 * expects.
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

/** File names of the stores that were set aside and still exist. */
export function storesSetAside(directory: string): string[] {
  const prefix = basename(spoolFiles(directory).store) + DAMAGED
  try {
    return readdirSync(directory).filter((name) => name.startsWith(prefix) && !/-(wal|shm)$/.test(name))
  } catch {
    return [] // no directory, or not readable: then nothing was set aside there
  }
}
