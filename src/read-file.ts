import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** The most that is read, in bytes; `/dev/zero` has no end. */
const MAX_FILE_BYTES = 64 * 1024 * 1024
/** The byte order marks of UTF-16, in which PowerShell writes files. */
const UTF_16: Readonly<Record<number, string>> = { 0xff_fe: 'utf-16le', 0xfe_ff: 'utf-16be' }
const CHUNK_BYTES = 64 * 1024
/** How long a pipe's writer may take, in milliseconds: fetching a secret from a vault takes time. */
const PIPE_TIMEOUT_MS = 30_000

/**
 * Reads a whole regular file or named pipe (also a shell's `<(…)`) as text. Waiting for a pipe blocks nothing else, and ends
 * after 30 s or when the signal aborts.
 * @throws Node's errors; `EFBIG`, `ETIMEDOUT` and `ABORT_ERR` among their codes
 */
export async function readFile(path: string, signal: AbortSignal): Promise<string> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const isPipe = fstatSync(fd).isFIFO()
  try {
    return await readText(isPipe ? readPipe(fd, signal) : readChunks(fd))
  } finally {
    if (!isPipe) closeSync(fd) // a pipe's socket has closed its own
  }
}

/**
 * Reads everything as UTF-8, or as UTF-16 if it begins with a byte order mark of that.
 * @throws what the source throws, or an error with the code `EFBIG`
 */
export async function readText(source: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of source) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MAX_FILE_BYTES) throw Object.assign(new Error('file too large'), { code: 'EFBIG' })
  }
  const text = Buffer.concat(chunks)
  const utf16 = text.length < 2 ? undefined : UTF_16[text.readUInt16BE()]
  return utf16 === undefined ? text.toString('utf8') : new TextDecoder(utf16).decode(text)
}

function* readChunks(fd: number): Generator<Buffer> {
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    const count = readSync(fd, chunk)
    if (count === 0) return
    yield chunk.subarray(0, count)
  }
}

/** As a socket, since reading it in a thread could not be cancelled. */
async function* readPipe(fd: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  const { Socket } = await import('node:net') // rarely needed
  const timeout = AbortSignal.timeout(PIPE_TIMEOUT_MS)
  const socket = new Socket({
    fd,
    readable: true,
    writable: false,
    signal: AbortSignal.any([signal, timeout]),
  })
  try {
    yield* socket as AsyncIterable<Buffer>
  } catch (error) {
    if (timeout.aborted) throw Object.assign(new Error('no end', { cause: error }), { code: 'ETIMEDOUT' })
    throw error
  }
}
