import type { Session } from '../cli/session.ts'
import type { Event } from '../core/event.ts'
import { EXIT_CODE, type Failure } from '../core/failure.ts'
import { oneLine } from '../core/mask-secrets.ts'
import type { EventStatus } from '../spool/spool.ts'

/** A JSON object as the relay's routes answer it. */
export type JsonAnswer = Readonly<Record<string, unknown>>

/** A member of an answer as one line of text; empty if there is none. */
export function textOf(answer: JsonAnswer, name: string): string {
  const value = answer[name]
  return typeof value === 'string' || typeof value === 'number' ? oneLine(String(value)) : ''
}

/** Which dead events are meant: one, those of a key, or all. */
export interface DeadChoice {
  readonly id?: number
  readonly key?: string
}

/**
 * Where a command reads and changes events and deployments: a relay, a fleet or a spool. Its answers are those of the
 * relay's routes, wherever they come from.
 */
export interface Backend {
  events(status: EventStatus): Promise<JsonAnswer>
  change(action: 'retry' | 'discard', choice: DeadChoice): Promise<JsonAnswer>
  /** @param query parameters of `GET /deployments` */
  deployments(query: Readonly<Record<string, string>>): Promise<JsonAnswer>
  /** Records the failed deployment that an event reports, and returns how many failures in a row there are now. */
  countFailure(event: Event): Promise<number>
  /** Why the answers so far are not complete; undefined if they are. */
  readonly problem?: () => Failure | undefined
  close(): Promise<void>
}

/** What `--json` says if the answers of a backend were not complete. */
export function incompleteOf({ problem }: Backend): { readonly incomplete?: string } {
  const failure = problem?.()
  return failure === undefined ? {} : { incomplete: failure.message }
}

/**
 * Logs an error if the answers of a backend were not complete.
 * @returns the exit status of a command that has printed them
 */
export function exitOf({ log }: Pick<Session, 'log'>, { problem }: Backend): number {
  const failure = problem?.()
  if (failure === undefined) return 0
  log.error(failure.message)
  return EXIT_CODE[failure.kind]
}
