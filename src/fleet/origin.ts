import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createPrivateFile } from '../spool/files.ts'

/** The name of a relay in its fleet. */
export interface Origin {
  readonly name: string
  /** Whether the relay had none before, so nothing in the fleet is its own. */
  readonly isNew: boolean
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
    if (FORM.test(known)) return { name: known, isNew: false }
    writeFileSync(path, `${name}\n`)
  } catch {
    // A read-only directory: the spool says so itself.
  }
  return { name, isNew: true }
}
