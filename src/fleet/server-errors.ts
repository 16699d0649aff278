import type { FleetServer } from '../config/fleet-url.ts'
import { Failure } from '../core/failure.ts'
import { maskSecrets, oneLine } from '../core/mask-secrets.ts'
import { classifyError } from '../core/network-error.ts'

/** Why a standby is not used. */
export const READ_ONLY = 'does not accept writes (a standby)'

/** Why a commit does not count although the server reports success. */
export const UNCONFIRMED = 'no standby has confirmed the commit: somebody canceled the wait for one'

const MIGRATE = 'run pagerduty-alert fleet migrate with the owner’s address in PAGERDUTY_FLEET'

/**
 * Errors of PostgreSQL that only an operator can end (https://www.postgresql.org/docs/15/errcodes-appendix.html), and what to do.
 */
const CONFIGURATION: Readonly<Record<string, string>> = {
  '28000': 'the server does not accept this user; see its pg_hba.conf',
  '28P01': 'the user or the password is wrong',
  '3D000': 'there is no such database',
  '3F000': `the database has no tables of a fleet; ${MIGRATE}`,
  '42P01': `a table is missing; ${MIGRATE}`,
  '42883': `a function is missing; ${MIGRATE}`,
  '42501': 'this user does not have the rights of a relay; GRANT pagerduty_relay TO it',
}

/** What to do about errors that may also pass without that. */
const ADVICE: Readonly<Record<string, string>> = {
  '53100': 'make room on the database’s disk',
  '53300':
    'each relay opens up to four connections: raise max_connections or the limit of its user or database',
  '57014':
    'if that was no administrator, the server’s statement_timeout is too short for the user of the relays',
}

/** Errors after which a connection cannot be used: the node shuts down, no longer accepts writes, or is gone. */
const LOST = /^(?:08|25006|57P0[1-5]|53[23]00)/

/** Whether waiting will not help. */
export function isConfigurationError(error: unknown): boolean {
  return error instanceof Failure ? error.kind === 'config' : Object.hasOwn(CONFIGURATION, codeOf(error))
}

/** Whether to look for the primary again. Anything but an answer of PostgreSQL means that the connection is broken. */
export function isConnectionError(error: unknown): boolean {
  const code = codeOf(error)
  return !isAnswer(error) || LOST.test(code)
}

/** Whether the same statement may succeed at once: it lost a deadlock or waited too long for a lock. */
export function isWorthRepeating(error: unknown): boolean {
  return ['40001', '40P01'].includes(codeOf(error))
}

/** What an error says, in one line without secrets. */
export function describeError(error: unknown, { password }: Pick<FleetServer, 'password'>): string {
  if (error instanceof Failure) return error.message
  const code = codeOf(error)
  if (isAnswer(error)) {
    const words =
      CONFIGURATION[code] ?? oneLine(maskSecrets(error.message, password === undefined ? [] : [password]))
    const advice = ADVICE[code]
    return `${words}${advice === undefined ? '' : `; ${advice}`} (${code})`
  }
  const message = error instanceof Error ? error.message : ''
  const known = OF_THE_CLIENT.find(([start]) => message.startsWith(start))
  return known?.[1] ?? classifyError(error).reason.replace('PAGERDUTY_EVENTS_URL', 'PAGERDUTY_FLEET')
}

/** Errors that `pg` raises itself, by how they begin. */
const OF_THE_CLIENT: readonly (readonly [start: string, words: string])[] = [
  ['timeout expired', 'no answer came in time'],
  ['Query read timeout', 'no answer came in time'],
  [UNCONFIRMED, UNCONFIRMED],
  ['Connection terminated', 'the server closed the connection'],
  ['Client ', 'the server closed the connection'], // it has noticed that before
  ['SASL: ', 'the server asks for a password, and this one cannot be used; set PAGERDUTY_FLEET_PASSWORD'],
  ['The server does not support SSL', 'the server does not offer TLS; turn ssl on there'],
]

/** An answer of PostgreSQL has a severity, an error of the network has none. */
function isAnswer(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'severity' in error && error.severity !== undefined
}

/** PostgreSQL's code of an error, or that of a network error; empty if it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
