import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** The largest file that is read, in bytes; `/dev/zero` has no end. */
const MAX_FILE_BYTES = 64 * 1024 * 1024
const CHUNK_BYTES = 64 * 1024
/** How long a pipe's writer may take, in milliseconds: fetching a secret from a vault takes time. */
const PIPE_TIMEOUT_MS = 30_000

/**
 * Reads a whole regular file or named pipe (also a shell's `<(…)`) as UTF-8. Waiting for a pipe blocks nothing else, and ends
 * after 30 s or when the signal aborts.
 * @throws Node's errors; `EFBIG`, `ETIMEDOUT` and `ABORT_ERR` among their codes
 */
export async function readFile(path: string, signal: AbortSignal): Promise<string> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const isPipe = fstatSync(fd).isFIFO()
  try {
    return await collect(isPipe ? readPipe(fd, signal) : readChunks(fd))
  } finally {
    if (!isPipe) closeSync(fd) // a pipe's socket has closed its own
  }
}

async function collect(source: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of source) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MAX_FILE_BYTES) throw Object.assign(new Error('file too large'), { code: 'EFBIG' })
  }
  return Buffer.concat(chunks).toString('utf8')
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
