import { constants, fstatSync, openSync, write, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { OutputEnd, Reading } from './output-pipes.ts'
import type { StreamTail, Tail } from './output-tail.ts'

/** How long output is passed on after the command has ended: to its end, until it is quiet, or at most. */
const QUIET_MS = 250
const LINGER_MS = 1800

/** The copying of a command's output to our own streams. */
export interface Copying {
  /** Resolves when the tail has everything that is in the pipes now: once the command has ended, all of its own output. */
  drained(): Promise<void>
  /**
   * Resolves at the end of the output, or when there was none for `QUIET_MS` and nothing is left to write, or after
   * `LINGER_MS`, since a child that was left behind may print forever.
   * @returns which of our streams did not accept everything, and why, such as `stdout (ENOSPC)`; undefined if both did
   */
  settled(): Promise<string | undefined>
  /** Stops reading, so that children that outlive the command print nowhere. */
  close(): void
}

/**
 * Copies a command's stdout and stderr to ours, no faster than ours accept it, and keeps the tail. If the reader of one of
 * ours goes away, the command's stream is closed too.
 * @param ends     stdout and stderr, or one for both
 * @param onOutput called whenever there is some
 */
export function copyOutput(ends: readonly OutputEnd[], tail: Tail, onOutput: () => void): Copying {
  let chunks = 0
  const count = (): void => {
    chunks += 1
    onOutput()
  }
  const copies = ends.map((read, index) => copyStream(read, { fd: index + 1, kept: tail.stream(), count }))
  const ended = Promise.all(copies.map((copy) => copy.ended.then(copy.written))).then(() => true)
  return {
    drained: async () => void (await Promise.all(copies.map((copy) => copy.drain()))),
    settled: async () => {
      const giveUpAtMs = performance.now() + LINGER_MS
      const waiting = new AbortController()
      const linger = (delayMs: number): Promise<boolean> =>
        sleep(delayMs, false, { signal: waiting.signal }).catch(() => false)
      for (let [seen, leftMs] = [-1, LINGER_MS]; leftMs > 0; leftMs = giveUpAtMs - performance.now()) {
        const isEnded = await Promise.race([ended, linger(Math.min(QUIET_MS, leftMs))])
        if (isEnded || (chunks === seen && !copies.some((copy) => copy.isWriting()))) break
        seen = chunks
      }
      waiting.abort() // a timer would keep the process
      return copies.find((copy) => copy.lost() !== undefined)?.lost()
    },
    close: () => copies.forEach((copy) => copy.close()),
  }
}

interface Copy extends Reading {
  readonly isWriting: () => boolean
  /** Resolves when what was read has been written. */
  readonly written: () => Promise<void>
  readonly lost: () => string | undefined
}

interface CopyTarget {
  readonly fd: number
  readonly kept: StreamTail
  readonly count: () => void
}

/** Copies one stream, each chunk after the ones before it. */
function copyStream(read: OutputEnd, { fd, kept, count }: CopyTarget): Copy {
  let lost: string | undefined
  const sink = tolerant(createSink(fd), (code) => (lost ??= `${fd === 1 ? 'stdout' : 'stderr'} (${code})`))
  let writing: Promise<void> | undefined
  const reading = read((chunk) => {
    kept.write(chunk)
    count()
    const pending = writing === undefined ? sink(chunk) : writing.then(() => sink(chunk))
    if (pending === undefined) return undefined
    const mine = pending.finally(() => {
      if (writing === mine) writing = undefined
    })
    writing = mine
    return mine
  })
  return {
    ...reading,
    isWriting: () => writing !== undefined,
    written: async () => await writing?.catch(() => undefined), // the reader has gone away
    lost: () => lost,
  }
}

const writeSome = promisify(write)

/** How long to wait while a descriptor that another process made non-blocking is full. */
const FULL_MS = 5

/**
 * Writes a chunk to one of our own streams.
 * @returns undefined once it is written, or a promise if that takes a while; until then the chunk must not change
 * @throws (or rejects) if the reader has gone away
 */
type Sink = (chunk: Buffer) => Promise<void> | undefined

/**
 * A sink for file descriptor 1 or 2. It never makes the descriptor itself non-blocking, as Node's own streams do:
 * others may hold the same one, and their writes would begin to fail with EAGAIN.
 */
function createSink(fd: number): Sink {
  const stat = fstatSync(fd)
  if (stat.isFile()) return (chunk) => writeAtOnce(fd, chunk)
  return (stat.isFIFO() ? pipeSink(fd) : undefined) ?? ((chunk) => writeInThread(fd, chunk))
}

/**
 * Skips what cannot be written, for example because the disk is full: if we stopped reading, SIGPIPE would end the command,
 * which could go on without us. Only if the reader has gone away does that happen without us, too.
 */
function tolerant(sink: Sink, onLoss: (code: string) => void): Sink {
  const tolerate = (error: unknown): undefined => {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'EPIPE') throw error
    onLoss(code)
  }
  return (chunk) => {
    try {
      return sink(chunk)?.catch(tolerate)
    } catch (error) {
      return tolerate(error)
    }
  }
}

function writeAtOnce(fd: number, chunk: Buffer): undefined {
  for (let offset = 0; offset < chunk.length;) offset += writeSync(fd, chunk, offset)
}

/** Reopening a pipe gives a descriptor of our own, which may be non-blocking. Undefined if that is not allowed. */
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
