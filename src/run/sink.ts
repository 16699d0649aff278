import { constants, fstatSync, openSync, write, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const writeSome = promisify(write)

/** How long to wait when a descriptor that somebody else made non-blocking cannot take more. */
const FULL_MS = 5

/**
 * Writes a chunk to one of our own streams.
 * @returns undefined once it is written, or a promise where that takes a while; until then the chunk must not change
 * @throws (or rejects) when nobody reads any more
 */
export type Sink = (chunk: Buffer) => Promise<void> | undefined

/**
 * A sink for file descriptor 1 or 2. It never makes the descriptor itself non-blocking, as Node's own streams do:
 * others may hold the same one, and their writes would begin to fail with EAGAIN.
 */
export function createSink(fd: number): Sink {
  const stat = fstatSync(fd)
  if (stat.isFile()) return (chunk) => writeAtOnce(fd, chunk)
  return (stat.isFIFO() ? pipeSink(fd) : undefined) ?? ((chunk) => writeInThread(fd, chunk))
}

function writeAtOnce(fd: number, chunk: Buffer): undefined {
  for (let offset = 0; offset < chunk.length;) offset += writeSync(fd, chunk, offset)
}

/** A pipe opened once more gives a descriptor of our own, which may be non-blocking. Undefined where that is not allowed. */
function pipeSink(fd: number): Sink | undefined {
  const socket = reopen(fd)
  let failure: Error | undefined
  socket?.on('error', (error) => (failure = error))
  return (
    socket &&
    ((chunk) => {
      if (failure !== undefined) throw failure
      socket.write(chunk)
      if (socket.writableLength === 0) return undefined
      return new Promise((resolve, reject) => {
        socket.write('', (error) => (error ? reject(error) : resolve()))
      })
    })
  )
}

function reopen(fd: number): Socket | undefined {
  try {
    const ownFd = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK)
    return new Socket({ fd: ownFd, readable: false, writable: true })
  } catch {
    return undefined
  }
}

/** Writes in a thread of its own, not on the event loop: a reader that stalls must not keep a signal from being seen. */
async function writeInThread(fd: number, chunk: Buffer): Promise<void> {
  for (let offset = 0; offset < chunk.length;) {
    try {
      const { bytesWritten } = await writeSome(fd, chunk, offset)
      offset += bytesWritten
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
      await sleep(FULL_MS)
    }
  }
}
