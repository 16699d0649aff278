import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createPrivateFile } from '../spool/files.ts'

/** The name of a relay in its fleet. */
export interface Origin {
  readonly name: string
  /** Whether the relay had none before, so nothing in the fleet is its own. */
  readonly isNew: boolean
  /** Tells the directory from a copy of it; absent if the name could not be kept there. */
  readonly directoryMark?: string
}

const FORM = /^[\w.-]{1,64}$/
const MAX_HOST_CHARS = 40

/**
 * The relay's name, which is kept in its spool's directory, since the spool's ids name its events. If it cannot be kept, the name
 * lasts as long as the process.
 */
export function readOrigin(directory: string, hostname: string): Origin {
  const path = join(directory, 'fleet-origin')
  const host = hostname.replaceAll(/[^\w.-]/g, '').slice(0, MAX_HOST_CHARS)
  const name = `${host === '' ? 'relay' : host}-${randomBytes(4).toString('hex')}`
  try {
    createPrivateFile(directory, path)
    const known = readFileSync(path, 'utf8').trim()
    const directoryMark = markOf(path, hostname)
    if (FORM.test(known)) return { name: known, isNew: false, directoryMark }
    writeFileSync(path, `${name}\n`)
    return { name, isNew: true, directoryMark }
  } catch {
    // A read-only directory: the spool says so itself.
  }
  return { name, isNew: true }
}

/** Names a file's place: containers that share the directory see the same file on the same system, a copy is another one. */
function markOf(path: string, hostname: string): string {
  const { dev, ino } = statSync(path, { bigint: true })
  return createHash('sha256')
    .update(`${systemId(hostname)} ${dev} ${ino}`)
    .digest('hex')
    .slice(0, 16)
}

/** The running kernel, which containers share (`man 4 random`); elsewhere than on Linux the host's name. */
function systemId(hostname: string): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return hostname
  }
}
