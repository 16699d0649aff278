import { spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, constants, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

/** The ends of the pipes that carry a command's output to us. */
export interface OutputPipes {
  /** What to spawn the command with as its stdout and stderr. */
  readonly childEnds: readonly [number | 'pipe', number | 'pipe']
  /** Our ends: stdout and stderr, or one for both if ours are the same file. */
  readonly ourEnds: (child: ChildProcess) => readonly OutputEnd[]
  /** Closes the command's ends in this process, once the command has them. */
  readonly closeChildEnds: () => void
}

/**
 * Our end of a pipe: reads it to its end.
 * @param onChunk takes a chunk, whose bytes are overwritten after it returns or its promise is settled
 */
export type OutputEnd = (onChunk: (chunk: Buffer) => Promise<void> | undefined) => Reading

/** A pipe being read. */
export interface Reading {
  /** Resolves when everything was read, or reading was stopped. */
  readonly ended: Promise<void>
  /**
   * Passes on what is in the pipe now, without waiting for earlier chunks. Once the command has ended, that is the rest of
   * its own output; processes that it left behind may continue to print.
   */
  readonly drain: () => Promise<void>
  /** Stops reading. The command learns of it as it would without us: by SIGPIPE. */
  readonly close: () => void
}

const READ_BYTES = 64 * 1024
/**
 * A command that prints line by line would wake us for each line and compete with us for the processor. So the first line
 * is passed on at once, and the next are read together a moment later.
 */
const SMALL_BYTES = 4 * 1024
const GATHER_MS = 1
/** What a pipe holds at most, if the command has made it larger (pipe(7): `pipe-max-size`). */
const MOST_PIPE_BYTES = 1024 * 1024

/**
 * Opens the pipes for a command's stdout and stderr. They are real pipes if `mkfifo` exists: Node's own "pipe" is a
 * socket, which `> /dev/stderr` in a shell script cannot open (ENXIO), so `run` would break such a deployment. If our
 * stdout and stderr are the same file, the command gets one pipe for both, which keeps the order.
 */
export function openOutputPipes(): OutputPipes {
  // A container with a read-only root still has a writable /dev/shm.
  return openFifos(tmpdir()) ?? openFifos('/dev/shm') ?? nodePipes()
}

function openFifos(parent: string): OutputPipes | undefined {
  const areSame = isSameFile(1, 2)
  const fifos = makeFifos(parent, areSame ? ['both'] : ['stdout', 'stderr'])
  const [stdout, stderr = stdout] = fifos ?? []
  if (fifos === undefined || stdout === undefined || stderr === undefined) return undefined
  return {
    childEnds: [stdout.writeFd, stderr.writeFd],
    ourEnds: () => fifos.map(({ readFd }) => fifoEnd(readFd)),
    closeChildEnds: () => fifos.forEach(({ writeFd }) => closeSync(writeFd)),
  }
}

function nodePipes(): OutputPipes {
  return {
    childEnds: ['pipe', 'pipe'],
    // There are none if the process has too many open files to start the command.
    ourEnds: ({ stdout, stderr }) =>
      [stdout, stderr].filter((stream) => stream instanceof Socket).map((socket) => socketEnd(socket)),
    closeChildEnds: () => undefined,
  }
}

/** Named pipes that are open at both ends and already removed from the file system. */
function makeFifos(
  parent: string,
  names: readonly string[],
): { readFd: number; writeFd: number }[] | undefined {
  let folder: string | undefined
  try {
    folder = mkdtempSync(join(parent, 'pagerduty-alert-'))
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

/** Reads into one buffer over and over, so that a chatty command leaves no garbage. */
function fifoEnd(fd: number): OutputEnd {
  return (onChunk) => {
    const buffer = Buffer.alloc(READ_BYTES)
    const onread = {
      buffer,
      callback: (byteCount: number): boolean => {
        const taken = take(socket, onChunk, buffer.subarray(0, byteCount))
        const pending = taken ?? (byteCount < SMALL_BYTES ? sleep(GATHER_MS) : undefined)
        void pending?.then(() => resume(socket))
        return pending === undefined
      },
    }
    const socket = new Socket({ fd, readable: true, writable: false, onread })
    const drain = (): Promise<void> => {
      for (const chunk of readNow(fd, socket)) void take(socket, onChunk, chunk)
      return Promise.resolve()
    }
    return reading(socket, drain)
  }
}

/** Reads what is in a non-blocking pipe, bypassing the event loop; each chunk has memory of its own. */
function* readNow(fd: number, socket: Socket): Generator<Buffer> {
  try {
    for (let byteCount = 0; byteCount < MOST_PIPE_BYTES && !socket.destroyed;) {
      const buffer = Buffer.allocUnsafe(READ_BYTES)
      const chunk = buffer.subarray(0, readSync(fd, buffer))
      if (chunk.length === 0) return
      byteCount += chunk.length
      yield chunk
    }
  } catch {
    // EAGAIN: it is empty
  }
}

function socketEnd(socket: Socket): OutputEnd {
  return (onChunk) => {
    const seen = { bytes: 0 }
    let isDraining = false
    socket.on('data', (chunk: Buffer) => {
      seen.bytes += chunk.length
      const pending = take(socket, onChunk, chunk)
      if (pending === undefined || isDraining) return
      socket.pause()
      void pending.then(() => resume(socket))
    })
    const drain = async (): Promise<void> => {
      isDraining = true
      resume(socket)
      const end = seen.bytes + MOST_PIPE_BYTES
      for (let before = -1; before < seen.bytes && seen.bytes < end;) {
        before = seen.bytes
        await turn() // the rest of this turn of the event loop, which may be over with reading
        await turn()
      }
      isDraining = false
    }
    return reading(socket, drain)
  }
}

/** Passes a chunk on; if that fails, the rest is not wanted. */
function take(
  socket: Socket,
  onChunk: (chunk: Buffer) => Promise<void> | undefined,
  chunk: Buffer,
): Promise<void> | undefined {
  try {
    return onChunk(chunk)?.catch(() => void socket.destroy())
  } catch {
    socket.destroy()
    return undefined
  }
}

/** Node throws if a destroyed socket is resumed. */
function resume(socket: Socket): void {
  if (!socket.destroyed) socket.resume()
}

function reading(socket: Socket, drain: () => Promise<void>): Reading {
  socket.resume()
  const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  socket.on('error', () => undefined) // `close` follows
  return { ended, drain, close: () => void socket.destroy() }
}

function isSameFile(a: number, b: number): boolean {
  try {
    const [one, other] = [fstatSync(a), fstatSync(b)]
    return one.dev === other.dev && one.ino === other.ino
  } catch {
    return false // one of them is closed
  }
}
