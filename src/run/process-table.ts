import { readdirSync, readFileSync } from 'node:fs'

/** What Linux tells of a process in `/proc/<pid>/stat` (proc(5)). */
export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  /** Process group. */
  readonly group: number
  /** By SIGSTOP and its like: it takes no other signal before SIGCONT, but SIGKILL. */
  readonly isStopped: boolean
  /** The group that has the terminal of the process; -1 without a terminal. */
  readonly foreground: number
  /** Start time in clock ticks since boot: with the id it names one process for good. */
  readonly startedAt: string
}

/** All processes that run, without those that have ended and wait to be reaped. Empty where there is no `/proc`. */
export function listProcesses(): ProcessEntry[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => readProcess(name) ?? [])
  } catch {
    return []
  }
}

/** One process by its id, or the one that asks. Undefined where it has ended or there is no `/proc`. */
export function readProcess(pid: string): ProcessEntry | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is a name in parentheses that may hold anything; the third is the state.
    const [state = '', parent, group, , , foreground, ...rest] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
    if ('ZX'.includes(state)) return undefined
    return {
      pid: Number.parseInt(stat, 10),
      parent: Number(parent),
      group: Number(group),
      isStopped: state === 'T',
      foreground: Number(foreground),
      startedAt: rest[13] ?? '',
    }
  } catch {
    return undefined
  }
}
