import type { IncomingHttpHeaders } from 'node:http'
import type { Behaviour } from './behaviour.ts'

/** A request as it arrived, however it was answered. */
export interface RecordedRequest {
  readonly method: string
  /** Path and query, as sent. */
  readonly path: string
  /** Names in lower case, as Node gives them. */
  readonly headers: IncomingHttpHeaders
  /** The exact bytes; empty if the connection ended before they were read. */
  readonly body: Buffer
  /** The body as JSON; undefined if it is not JSON. */
  readonly json: unknown
  /** When its headers had arrived, in milliseconds since the epoch. */
  readonly receivedAtMs: number
  /** The sender's port: the same for two requests of one connection. */
  readonly remotePort: number | undefined
  /** How it is answered. */
  readonly behaviour: Behaviour
}

/** Keeps requests and lets others wait for them. */
export interface Recorder {
  /** Every request since the start or the last clear, in the order in which their bodies were complete. */
  readonly requests: readonly RecordedRequest[]
  readonly record: (request: RecordedRequest) => void
  /**
   * Resolves with all requests as soon as there are `count`.
   * @throws if `timeoutMs` pass before that; the error lists the requests so far
   */
  readonly waitFor: (count: number, timeoutMs?: number) => Promise<readonly RecordedRequest[]>
  readonly clear: () => void
}

/** A recorder without requests. */
export function createRecorder(): Recorder {
  const requests: RecordedRequest[] = []
  const listeners = new Set<() => void>()

  function waitFor(count: number, timeoutMs = 60_000): Promise<readonly RecordedRequest[]> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void): void => {
        clearTimeout(timer)
        listeners.delete(check)
        outcome()
      }
      const check = (): void => {
        if (requests.length >= count) settle(() => resolve(requests))
      }
      const timer = setTimeout(() => {
        const seen = requests.map(({ method, path }) => `${method} ${path}`).join(', ') || 'none'
        settle(() => reject(new Error(`waited ${timeoutMs} ms for ${count} requests, got: ${seen}`)))
      }, timeoutMs)
      listeners.add(check)
      check()
    })
  }

  return {
    requests,
    record: (request) => {
      requests.push(request)
      for (const listener of listeners) listener()
    },
    waitFor,
    clear: () => {
      requests.length = 0
    },
  }
}
