import { write } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const writeSome = promisify(write)

/** How long to wait when the other side of a non-blocking descriptor cannot take more. */
const FULL_MS = 5

/**
 * Copies a stream to a file descriptor until the stream ends, no faster than the descriptor takes it. When nobody reads
 * the descriptor any more, the stream is closed, so that the writer at its other end learns of it as it would without
 * us: by SIGPIPE.
 * @param watch sees each chunk before it is written, and is told when that is done
 */
export async function copyStream(stream: Readable, fd: number, watch: ChunkWatch): Promise<void> {
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      watch.onChunk(chunk)
      await writeAll(fd, chunk)
      watch.onWritten()
    }
  } catch {
    stream.destroy()
  }
}

export interface ChunkWatch {
  readonly onChunk: (chunk: Buffer) => void
  readonly onWritten: () => void
}

/** Writes in a thread of its own, not on the event loop: a reader that stalls must not keep a signal from being seen. */
async function writeAll(fd: number, chunk: Buffer): Promise<void> {
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
