import { randomUUID } from 'node:crypto'
import type { Environment } from '../core/build.ts'
import { identify, type Identity } from '../core/identity.ts'
import type { Config } from '../config/load.ts'
import type { Transport } from '../delivery/transport.ts'
import type { Log } from '../log.ts'

/** The process as a command sees it; only `bin.ts` knows the real one. */
export interface Io {
  readonly argv: readonly string[]
  readonly env: Environment
  readonly hostname: string
  /** Reads a small file whole; rejects with Node's errors, and when the signal aborts, by default the process's own. */
  readonly readFile: (path: string, signal?: AbortSignal) => Promise<string>
  /** The text of a file that was read before; throws for any other. */
  readonly recall: (path: string) => string
  /** Reads stdin to its end; rejects when the signal aborts. */
  readonly readStdin: () => Promise<string>
  readonly isStdinTerminal: boolean
  readonly writeOut: (text: string) => void
  readonly writeErr: (text: string) => void
  /** Aborts on SIGHUP, SIGINT and SIGTERM; the reason is the exit status that the signal asks for. */
  readonly signal: AbortSignal
  /** Hands SIGHUP, SIGINT and SIGTERM to a listener instead, and further signals if they are wanted. */
  readonly takeSignals: (
    listener: (signal: NodeJS.Signals) => void,
    further?: readonly NodeJS.Signals[],
  ) => void
  /** `process.kill`. */
  readonly kill: (target: number, signal: NodeJS.Signals | 0) => void
  /** When the process began, on the scale of `performance.now()`. */
  readonly startedAtMs: number
}

/** What a command works with once its configuration is known. */
export interface Session {
  readonly io: Io
  readonly config: Config
  /** What the deployment is identified by: the user's choices, else the build's. */
  readonly identity: Identity
  readonly log: Log
  /** Name of the command, for `--json`. */
  readonly command: string
  readonly json: boolean
  /**
   * Turns the exit status of the report into that of the process; undefined if that is not known yet. Absent if the two are
   * the same.
   */
  readonly exitStatus?: (reportStatus: number) => number | undefined
  /** Connections for the events; absent: new ones. */
  readonly transport?: Transport | undefined
}

/** A session, with the identity that its configuration and build give. */
export function createSession(parts: Omit<Session, 'identity'>): Session {
  const { io, config } = parts
  return { ...parts, identity: identify(config.event.choices, config.build, io.hostname) }
}

/** A dedup key for an alert that has no other. */
export function randomDedupKey(): string {
  return RANDOM_PREFIX + randomUUID()
}

/** True for a key that `randomDedupKey` made. */
export function isRandomDedupKey(key: string): boolean {
  return key.startsWith(RANDOM_PREFIX)
}

const RANDOM_PREFIX = 'pagerduty-alert/'
