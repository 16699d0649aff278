import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A file system of a size of its own, in memory. */
export interface SmallDisk {
  readonly directory: string
  readonly resize: (mebibytes: number) => void
  readonly makeReadOnly: (isReadOnly: boolean) => void
}

/** Mounts a file system for one test, which needs the requirement `mount`. */
export function mountSmallDisk(t: TestContext, mebibytes: number): SmallDisk {
  const directory = mount(mebibytes)
  t.after(() => unmount(directory))
  const remount = (option: string): void => {
    execFileSync('mount', ['-o', `remount,${option}`, directory])
  }
  return {
    directory,
    resize: (size) => remount(`size=${size}m`),
    makeReadOnly: (isReadOnly) => remount(isReadOnly ? 'ro' : 'rw'),
  }
}

/**
 * Writes to the end of a file until only this many blocks of its disk are free.
 *
 * Others may write at the same time, so that fewer blocks are free than were counted: then the disk is full to its last one.
 */
export function fillDisk(file: string, directory: string, freeBlocks = 0): void {
  const { bavail, bsize } = statfsSync(directory)
  if (bavail <= freeBlocks) return
  try {
    writeFileSync(file, Buffer.alloc((bavail - freeBlocks) * bsize), { flag: 'a' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  }
}

function mount(mebibytes: number): string {
  const directory = mkdtempSync(join(tmpdir(), 'small-disk-'))
  try {
    const options = `size=${mebibytes}m`
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory], { stdio: 'ignore' })
    return directory
  } catch (error) {
    rmSync(directory, { recursive: true })
    throw error
  }
}

function unmount(directory: string): void {
  execFileSync('umount', ['--lazy', directory])
  rmSync(directory, { recursive: true })
}
