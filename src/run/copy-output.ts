import { setTimeout as sleep } from 'node:timers/promises'
import type { OutputEnd } from './output-pipes.ts'
import { createSink } from './sink.ts'
import type { Tail } from './tail.ts'

/** How long output may still come after the command has ended, from children that it left behind. */
const LINGER_MS = 250

/** Output on its way from the command to our own streams. */
export interface Copying {
  /** Resolves at the end of the output, or when it has been quiet for `LINGER_MS` with nothing left to write. */
  settled(): Promise<void>
  /** Stops reading: of children that outlive the command. */
  close(): void
}

/**
 * Copies a command's stdout and stderr to ours, no faster than those take it, and keeps the tail. When nobody reads one
 * of ours any more, the command's is closed.
 * @param ends     stdout and stderr, or one for both
 * @param onOutput called whenever there is some
 */
export function copyOutput(ends: readonly OutputEnd[], tail: Tail, onOutput: () => void): Copying {
  let writing = 0
  let chunks = 0
  const readings = ends.map((read, index) => {
    const sink = createSink(index + 1)
    const kept = tail.stream()
    return read((chunk) => {
      chunks += 1
      kept.write(chunk)
      onOutput()
      const pending = sink(chunk)
      if (pending === undefined) return undefined
      writing += 1
      return pending.finally(() => (writing -= 1))
    })
  })
  const ended = Promise.all(readings.map((reading) => reading.ended)).then(() => true)
  return {
    settled: async () => {
      const waiting = new AbortController()
      const linger = (): Promise<boolean> =>
        sleep(LINGER_MS, false, { signal: waiting.signal }).catch(() => false)
      for (let seen = -1; ; seen = chunks) {
        const isEnded = await Promise.race([ended, linger()])
        if (isEnded || (chunks === seen && writing === 0)) break
      }
      waiting.abort() // a timer would keep the process
    },
    close: () => readings.forEach((reading) => reading.close()),
  }
}
