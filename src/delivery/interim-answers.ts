import type { Socket } from 'node:net'

/** How many bytes of interim answers are skipped before one final answer; a server that sends more never comes to an end. */
const MAX_INTERIM_BYTES = 256 * 1024

/** As much of a status line as tells the status: `HTTP/1.1 202`. */
const TELLING_BYTES = 12
const LF = 0x0a
const CR = 0x0d
const STATUS_LINE = /^HTTP\/\d\.\d ([1-9]\d\d)$/

/** Takes interim answers out of the bytes that a server sends, and reads the status of the others. */
export interface InterimFilter {
  /** A request is being written, so an answer comes next. */
  expectAnswer(): void
  /** What of a chunk is for the parser; empty if nothing is, or not yet. */
  pass(chunk: Buffer): Buffer
  /** The status of the final answer to the last request, once its status line has begun so. */
  status(): number | undefined
}

/**
 * Makes the filter of one connection, for requests that follow each other. It looks at the bytes before a final answer, each
 * of them once, and lets all others through as they are.
 */
export function createInterimFilter(): InterimFilter {
  let state: 'start' | 'interim' | 'through' = 'start'
  let held: Buffer | undefined
  let skippedBytes = 0
  let isLineEmpty = false
  let status: number | undefined

  /** Skips to the end of an interim answer's head. Returns the index of what comes next. */
  const skipHead = (bytes: Buffer, from: number): number => {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]
      if (byte === LF && isLineEmpty) {
        state = 'start'
        return at + 1
      }
      if (byte !== CR) isLineEmpty = byte === LF
    }
    return bytes.length
  }
  const pass = (chunk: Buffer): Buffer => {
    const bytes = held === undefined ? chunk : Buffer.concat([held, chunk])
    held = undefined
    let at = 0
    while (at < bytes.length) {
      if (state === 'interim') {
        const next = skipHead(bytes, at)
        skippedBytes += next - at
        at = next
        if (skippedBytes > MAX_INTERIM_BYTES) state = 'through'
      } else if (state === 'through') return bytes.subarray(at)
      else if (bytes[at] === CR || bytes[at] === LF) at += 1
      else {
        if (isUndecided(bytes, at)) {
          held = bytes.subarray(at)
          break
        }
        const found = statusAt(bytes, at)
        state = found !== undefined && found < 200 ? 'interim' : 'through'
        if (state === 'through') status = found
        isLineEmpty = false
      }
    }
    return bytes.subarray(bytes.length)
  }
  return {
    expectAnswer: () => {
      if (state !== 'through') return
      state = 'start'
      skippedBytes = 0
      status = undefined
    },
    pass: (chunk) => (state === 'through' ? chunk : pass(chunk)),
    status: () => status,
  }
}

/** Whether what begins here is the beginning of a status line and no more. */
function isUndecided(bytes: Buffer, at: number): boolean {
  const begun = bytes.toString('latin1', at, at + TELLING_BYTES)
  return begun.length < TELLING_BYTES && 'HTTP/'.startsWith(begun.slice(0, 5))
}

/** The status of the answer that begins here; undefined if it is none, which is for the parser to say. */
function statusAt(bytes: Buffer, at: number): number | undefined {
  const status = STATUS_LINE.exec(bytes.toString('latin1', at, at + TELLING_BYTES))?.[1]
  return status === undefined ? undefined : Number(status)
}

/** The statuses that came before the errors that ended their answers. */
const statusBefore = new WeakMap<object, number>()

/** The status that a server sent before its answer failed with this error, in its head or for its form. */
export function statusBeforeError(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null ? statusBefore.get(error) : undefined
}

/**
 * Keeps interim answers (1xx) from undici's parser, which takes an unasked 100 for the end of the connection: RFC 9110,
 * section 15.2, has a client skip those that it does not expect. undici reads by `read`, and writes a request's head before
 * anything of its answer is read. It ends a connection whose answer it cannot parse by `destroy`.
 */
export function watchAnswers(socket: Socket): void {
  const filter = createInterimFilter()
  const read = socket.read.bind(socket)
  const write = socket.write.bind(socket)
  const destroy = socket.destroy.bind(socket)
  socket.read = (size?: number): Buffer | null => {
    for (;;) {
      const chunk = read(size) as Buffer | null
      if (chunk === null) return null
      const passed = filter.pass(chunk)
      if (passed.length > 0) return passed
    }
  }
  socket.write = ((...args: Parameters<Socket['write']>) => {
    filter.expectAnswer()
    return write(...args)
  }) as Socket['write']
  socket.destroy = (error?: Error) => {
    const status = filter.status()
    if (error !== undefined && status !== undefined) statusBefore.set(error, status)
    return destroy(error)
  }
}
