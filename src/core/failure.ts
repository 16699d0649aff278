/**
 * Why the program ends without success. Each kind has one exit status (`EXIT_CODE`).
 *
 * - `usage`: the command line or a value in it is wrong
 * - `config`: no key, an unusable key, an unreadable file
 * - `refused`: PagerDuty said no, and will say no again
 * - `undelivered`: PagerDuty could not be reached in time
 * - `internal`: a bug in this program
 */
export type FailureKind = 'usage' | 'config' | 'refused' | 'undelivered' | 'internal'

/** Exit status per kind, from BSD's sysexits.h: no clash with 1 (crash), 2 (shell) or 126–128. */
export const EXIT_CODE = {
  usage: 64,
  refused: 65,
  internal: 70,
  undelivered: 75,
  config: 78,
} as const satisfies Record<FailureKind, number>

/** The only error class of the program: `kind` is for machines, `message` for people, and neither holds a secret. */
export class Failure extends Error {
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Failure'
    this.kind = kind
  }
}
