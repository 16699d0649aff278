import { readFileSync } from 'node:fs'
import { RELAY_LIMITS } from './limits.ts'

/** How many callers a relay serves at a time. */
export interface RoomForCallers {
  readonly connections: number
  /** Requests in progress, fewer than connections: the others are for probes. */
  readonly requests: number
}

/** Files that are open for other purposes than callers' connections: the spool, libraries, connections to PagerDuty. */
const OTHER_FILES = 128
const MIN_CONNECTIONS = 16

/**
 * How many callers this process has room for. When it has no file left for a connection, the system closes that connection,
 * and no idle one can make room for it.
 * @param limits the text of Linux's `/proc/self/limits`
 */
export function roomForCallers(limits: string = ownLimits()): RoomForCallers {
  const files = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity)
  const connections = Math.min(RELAY_LIMITS.connections, Math.max(MIN_CONNECTIONS, files - OTHER_FILES))
  const share = RELAY_LIMITS.requests / RELAY_LIMITS.connections
  return { connections, requests: Math.floor(connections * share) }
}

function ownLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return '' // not Linux
  }
}
