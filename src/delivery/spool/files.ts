import { closeSync, existsSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The files of a spool. Their names say nothing of what they hold. */
export interface SpoolFiles {
  readonly store: string
  /** Locked by the process that delivers. */
  readonly lease: string
}

/** Paths in a spool's directory. */
export function spoolFiles(directory: string): SpoolFiles {
  return { store: join(directory, 'spool.db'), lease: join(directory, 'deliver.lock') }
}

/** Whether anything was ever kept there: asked before the database is loaded for nothing. */
export function spoolExists(directory: string): boolean {
  return existsSync(spoolFiles(directory).store)
}

/** Makes directory and file for their owner alone: SQLite gives its other files the mode of this one. */
export function createPrivateFile(directory: string, path: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  // Closing any descriptor of a file gives up the locks that this process has on it, so none is opened without need.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
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
  const named = (number: number): string => `${store}.damaged-${stamp}${number === 1 ? '' : `-${number}`}`
  let number = 1
  while (existsSync(named(number))) number++
  const aside = named(number)
  for (const suffix of ['-wal', '-shm', '']) {
    if (existsSync(store + suffix)) renameSync(store + suffix, aside + suffix)
  }
  return aside
}
