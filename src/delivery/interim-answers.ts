import type { Socket } from 'node:net'

/** Most bytes of interim answers to skip before a final answer; a server that sends more would never finish. */
const MAX_INTERIM_BYTES = 256 * 1024

/** The part of a status line up to the status: `HTTP/1.1 202`. */
const TELLING_BYTES = 12
const LF = 0x0a
const CR = 0x0d
const STATUS_LINE = /^HTTP\/\d\.\d ([1-9]\d\d)$/

/** Removes interim answers from the bytes that a server sends, and reads the status of final ones. */
export interface InterimFilter {
  /** Call when a request is written: an answer comes next. */
  expectAnswer(): void
  /** The part of a chunk for the parser; may be empty. */
  pass(chunk: Buffer): Buffer
  /** The status of the final answer to the last request, once it has arrived. */
  status(): number | undefined
}

/**
 * The filter of one connection, for one request after another. It reads each byte before a final answer once, and passes
 * all others through unchanged.
 */
export function createInterimFilter(): InterimFilter {
  let state: 'start' | 'interim' | 'through' = 'start'
  let held: Buffer | undefined
  let skippedBytes = 0
  let isLineEmpty = false
  let status: number | undefined

  /** Skips to the end of an interim answer's head. Returns the index after it. */
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

/** Whether an incomplete status line starts here. */
function isUndecided(bytes: Buffer, at: number): boolean {
  const begun = bytes.toString('latin1', at, at + TELLING_BYTES)
  return begun.length < TELLING_BYTES && 'HTTP/'.startsWith(begun.slice(0, 5))
}

/** The status of the answer that starts here; undefined if it is not an answer, which the parser will report. */
function statusAt(bytes: Buffer, at: number): number | undefined {
  const status = STATUS_LINE.exec(bytes.toString('latin1', at, at + TELLING_BYTES))?.[1]
  return status === undefined ? undefined : Number(status)
}

/** The statuses that arrived before an error ended their answers. */
const statusBefore = new WeakMap<object, number>()

/** The status that a server sent before its answer failed with this error. */
export function statusBeforeError(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null ? statusBefore.get(error) : undefined
}

/**
 * Keeps interim answers (1xx) from undici's parser, which closes the connection on an unsolicited 100: by RFC 9110, section
 * 15.2, a client ignores those that it does not expect. undici reads with `read`, and writes a request's head before it
 * reads any of the answer.
 */
export function skipInterimAnswers(socket: Socket): InterimFilter {
  const filter = createInterimFilter()
  const read = socket.read.bind(socket)
  const write = socket.write.bind(socket)
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
  return filter
}

/**
 * Skips interim answers, and remembers the status of an answer whose head cannot be parsed: undici then closes the
 * connection with `destroy`. Only for connections to the server: a proxy's answer to CONNECT says nothing about the event.
 */
export function watchAnswers(socket: Socket): void {
  const filter = skipInterimAnswers(socket)
  const destroy = socket.destroy.bind(socket)
  socket.destroy = (error?: Error) => {
    const status = filter.status()
    if (error !== undefined && status !== undefined) statusBefore.set(error, status)
    return destroy(error)
  }
}
