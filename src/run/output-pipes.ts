import { spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, constants, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

/** The ends of the pipes through which a command's output comes to us. */
export interface OutputPipes {
  /** What to spawn the command with as its stdout and stderr. */
  readonly childEnds: readonly [number | 'pipe', number | 'pipe']
  /** Our ends: stdout and stderr, or one stream for both where they are the same file for us too. */
  readonly ourEnds: (child: ChildProcess) => { stdout: Readable; stderr: Readable | undefined }
  /** Closes the command's ends in this process, once the command has them. */
  readonly closeChildEnds: () => void
}

/**
 * Opens the pipes for a command's stdout and stderr. They are real pipes wherever `mkfifo` is found: Node's own "pipe" is
 * a socket, which `> /dev/stderr` in a shell script cannot open (ENXIO), so that a deployment would break by being
 * watched. Where our stdout and stderr are the same file, the command gets one pipe for both, which keeps the order.
 */
export function openOutputPipes(): OutputPipes {
  return openFifos() ?? nodePipes()
}

function openFifos(): OutputPipes | undefined {
  const areSame = isSameFile(1, 2)
  const fifos = makeFifos(areSame ? ['both'] : ['stdout', 'stderr'])
  const [stdout, stderr = stdout] = fifos ?? []
  if (fifos === undefined || stdout === undefined || stderr === undefined) return undefined
  return {
    childEnds: [stdout.writeFd, stderr.writeFd],
    ourEnds: () => ({ stdout: reader(stdout.readFd), stderr: areSame ? undefined : reader(stderr.readFd) }),
    closeChildEnds: () => fifos.forEach(({ writeFd }) => closeSync(writeFd)),
  }
}

function nodePipes(): OutputPipes {
  return {
    childEnds: ['pipe', 'pipe'],
    ourEnds: ({ stdout, stderr }) => {
      if (stdout === null || stderr === null)
        throw new TypeError('the command was not spawned with these pipes')
      return { stdout, stderr }
    },
    closeChildEnds: () => undefined,
  }
}

/** Named pipes that have lost their names: open at both ends, and gone from the file system. */
function makeFifos(names: readonly string[]): { readFd: number; writeFd: number }[] | undefined {
  let folder: string | undefined
  try {
    folder = mkdtempSync(join(tmpdir(), 'pagerduty-alert-'))
    const paths = names.map((name) => join(folder ?? '', name))
    if (spawnSync('mkfifo', ['-m', '600', ...paths], { stdio: 'ignore' }).status !== 0) return undefined
    return paths.map((path) => {
      // Without O_NONBLOCK this end would wait for the other one to be opened.
      const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
      return { readFd, writeFd: openSync(path, constants.O_WRONLY) }
    })
  } catch {
    return undefined // a file system that is read-only or full
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
}

function reader(fd: number): Readable {
  return new Socket({ fd, readable: true, writable: false })
}

function isSameFile(a: number, b: number): boolean {
  try {
    const [one, other] = [fstatSync(a), fstatSync(b)]
    return one.dev === other.dev && one.ino === other.ino
  } catch {
    return false // one of them is closed
  }
}
