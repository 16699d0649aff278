import { closeSync, openSync, readlinkSync } from 'node:fs'
import { readProcess } from './process-group.ts'

/** First descriptor after stdin, stdout and stderr. */
const FIRST_FD = 3

/**
 * The descriptors beyond stderr that our parent handed to us, such as make's jobserver, counted up from 3. Node keeps them
 * from its children unless they are requested. Its own come after them, the first of them for epoll.
 */
export function inheritedFds(): number[] {
  const fds: number[] = []
  try {
    for (let fd = FIRST_FD; readlinkSync(`/proc/self/fd/${fd}`) !== 'anon_inode:[eventpoll]'; fd++)
      fds.push(fd)
  } catch {
    // the first that is not open, or no /proc
  }
  return fds
}

/** Whether the process has a controlling terminal, wherever its streams go: one from which Ctrl-C comes. */
export function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r+'))
    return true
  } catch {
    return false
  }
}

/** Whether what is typed at the terminal reaches our process group, Ctrl-C and hanging up included. */
export function isInForeground(): boolean {
  const self = readProcess('self')
  return self === undefined || self.foreground === self.group
}
