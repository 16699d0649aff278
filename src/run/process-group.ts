import { readdirSync, readFileSync } from 'node:fs'

/** A command's processes: itself and those it started that are still in its process group. */
export interface ProcessGroup {
  readonly signal: (signal: NodeJS.Signals) => void
  /** Continues stopped processes, which take no signal before that. */
  readonly wake: () => void
  /** Whether any of them still runs. */
  readonly isAlive: () => boolean
}

/** `process.kill`: throws if there is no such process. */
export type Kill = (target: number, signal: NodeJS.Signals | 0) => void

/** The group that a command leads. */
export function ownGroup(leader: number, kill: Kill): ProcessGroup {
  return {
    signal: (signal) => void tryKill(kill, -leader, signal),
    wake: () => {
      if (listProcesses().some(({ group, isStopped }) => group === leader && isStopped))
        tryKill(kill, -leader, 'SIGCONT')
    },
    isAlive: () =>
      // kill(2) also counts zombies, which orphans become in a container without an init process.
      readProcess('self') === undefined
        ? tryKill(kill, -leader, 0)
        : listProcesses().some(({ group }) => group === leader),
  }
}

/**
 * A command in our own group, which may contain others (`run -- … | tee log`): the group's processes that descend from us.
 * A process once seen as a descendant still counts after its parent exits.
 */
export function sharedGroup(child: number, kill: Kill): ProcessGroup {
  const seen = new Map<number, string>()
  const members = (): ProcessEntry[] => {
    const table = listProcesses()
    const self = readProcess('self')
    const found = self === undefined ? [] : descendantsOf(self, table)
    const known = table.filter(({ pid, startedAt }) => seen.get(pid) === startedAt)
    const all = [...new Set([...found, ...known])].filter(({ group }) => group === self?.group)
    for (const { pid, startedAt } of all) seen.set(pid, startedAt)
    return all
  }
  return {
    signal: (signal) => {
      for (const pid of new Set([child, ...members().map((member) => member.pid)])) tryKill(kill, pid, signal)
    },
    wake: () => {
      for (const { pid, isStopped } of members()) if (isStopped) tryKill(kill, pid, 'SIGCONT')
    },
    isAlive: () => members().length > 0,
  }
}

function descendantsOf({ pid }: ProcessEntry, table: readonly ProcessEntry[]): ProcessEntry[] {
  return table
    .filter(({ parent }) => parent === pid)
    .flatMap((child) => [child, ...descendantsOf(child, table)])
}

/** False if there is no such process. */
function tryKill(kill: Kill, target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    kill(target, signal)
    return true
  } catch {
    return false
  }
}

/** A process as Linux describes it in `/proc/<pid>/stat` (proc(5)). */
export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  /** Process group. */
  readonly group: number
  /** Stopped, for example by SIGSTOP: until SIGCONT, it takes no signal but SIGKILL. */
  readonly isStopped: boolean
  /** The group that has the terminal of the process; -1 without a terminal. */
  readonly foreground: number
  /** Start time in clock ticks since boot: with the id it names one process for good. */
  readonly startedAt: string
}

/** All running processes, without zombies. Empty if there is no `/proc`. */
function listProcesses(): ProcessEntry[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => readProcess(name) ?? [])
  } catch {
    return []
  }
}

/** One process by its id, or ours by `self`. Undefined if it has ended or there is no `/proc`. */
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
