import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

interface Process {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

/** Kills a child process of this one whose command line has a text in it, and everything that it has started. */
export function killChild(text: string): void {
  const processes = listProcesses()
  const children = processes.filter(({ parent, command }) => parent === process.pid && command.includes(text))
  for (const { pid } of children.flatMap((child) => withDescendants(child, processes))) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // it has already ended
    }
  }
}

/** A process and what descends from it, so that the parent can start nothing more once it is killed. */
function withDescendants(one: Process, processes: readonly Process[]): Process[] {
  const children = processes.filter(({ parent }) => parent === one.pid)
  return [one, ...children.flatMap((child) => withDescendants(child, processes))]
}

function listProcesses(): Process[] {
  return existsSync('/proc/self/stat') ? readdirSync('/proc').flatMap(readProcess) : listByPs()
}

function readProcess(name: string): Process[] {
  if (!/^\d+$/.test(name)) return []
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
    // pid (name) state parent …, where the name may have spaces and brackets: proc(5)
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    return [{ pid: Number(name), parent, command: readFileSync(`/proc/${name}/cmdline`, 'utf8') }]
  } catch {
    return [] // it has ended
  }
}

function listByPs(): Process[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n')
  return lines.flatMap((line) => {
    const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s(.*)$/.exec(line) ?? []
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }]
  })
}
