import { listProcesses, readProcess, type ProcessEntry } from './process-table.ts'

/** A command's processes: itself and what it started, as far as that stayed in its process group. */
export interface ProcessGroup {
  readonly signal: (signal: NodeJS.Signals) => void
  /** Lets those go on that are stopped: before that they take no signal. */
  readonly wake: () => void
  /** Whether any of them still runs. */
  readonly isAlive: () => boolean
}

/** `process.kill`: throws where nothing is there to be signalled. */
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
      // kill(2) also counts what has ended and is not reaped, as orphans in a container without an init are not.
      readProcess('self') === undefined
        ? tryKill(kill, -leader, 0)
        : listProcesses().some(({ group }) => group === leader),
  }
}

/**
 * A command in our own group, where others may be too (`run -- … | tee log`): those of the group that descend from us.
 * Whoever was seen to do so still counts when his parent has ended.
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

/** False where there is nothing to signal. */
function tryKill(kill: Kill, target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    kill(target, signal)
    return true
  } catch {
    return false
  }
}
