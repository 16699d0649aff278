import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'

/** Streams changes to viewers (server-sent events). */
export interface Live {
  /**
   * Sends changes to one more viewer until it disconnects.
   * @param lastEventId the last message that it saw before it lost the connection
   */
  attach(response: ServerResponse, lastEventId: string | undefined): void
  /** Whether the maximum of viewers is reached, or the relay is about to end. */
  isFull(): boolean
  /** The relay is about to end. */
  end(): void
}

export interface LiveDeps {
  /** Calls back with the ids of events that have changed. */
  readonly onChange: (listener: (ids: readonly number[]) => void) => void
  /** The JSON of what these events are now. */
  readonly describe: (ids: readonly number[]) => Promise<object>
}

const MAX_VIEWERS = 100
/** Changes within this time are sent together. */
const COALESCE_MS = 100
/** How often to send something, so that proxies do not close an idle connection. */
const COMMENT_MS = 15_000
/** A viewer that falls this far behind is disconnected; it reconnects and reads everything again. */
const MAX_BEHIND_BYTES = 65_536
/** Changes that are remembered for viewers who come back. */
const REMEMBERED = 1000

/** Has no viewers yet. */
export function createLive({ onChange, describe }: LiveDeps): Live {
  const run = randomUUID().slice(0, 8)
  const viewers = new Set<ServerResponse>()
  const remembered = createMemory()
  const changed = new Set<number>()
  let comments: NodeJS.Timeout | undefined
  let flushTimer: NodeJS.Timeout | undefined
  let flushedAtMs = Number.NEGATIVE_INFINITY
  let hasEnded = false
  let sent = Promise.resolve()

  const leave = (viewer: ServerResponse): void => {
    viewers.delete(viewer)
    if (viewers.size > 0) return
    clearInterval(comments)
    comments = undefined
  }
  const send = (viewer: ServerResponse, text: string): void => {
    if (viewer.writableLength + (viewer.socket?.writableLength ?? 0) > MAX_BEHIND_BYTES) viewer.destroy()
    else viewer.write(text)
  }
  const message = (ids: readonly number[]): Promise<string> =>
    messageOf(`${run}-${remembered.sequence()}`, ids.length > REMEMBERED ? undefined : describe(ids))
  /** Messages are sent in the order in which their changes happened, however long it takes to describe them. */
  const tell = (ids: readonly number[], receivers: ReadonlySet<ServerResponse>): void => {
    const next = message(ids)
    sent = inOrder(sent, next, (text) => {
      for (const viewer of receivers) if (viewers.has(viewer) && !hasEnded) send(viewer, text)
    })
  }
  const flush = (): void => {
    flushTimer = undefined
    flushedAtMs = performance.now()
    tell([...changed], viewers)
    changed.clear()
  }
  onChange((ids) => {
    remembered.add(ids)
    if (viewers.size === 0) return
    for (const id of ids) changed.add(id)
    const waitMs = flushedAtMs + COALESCE_MS - performance.now()
    flushTimer ??= setTimeout(flush, Math.max(0, waitMs))
  })
  return {
    isFull: () => viewers.size >= MAX_VIEWERS || hasEnded,
    attach: (response, lastEventId) => {
      viewers.add(response)
      response.once('close', () => leave(response))
      response.flushHeaders()
      comments ??= setInterval(() => {
        for (const viewer of viewers) send(viewer, ': still here\n\n')
      }, COMMENT_MS)
      if (lastEventId === undefined) send(response, `id: ${run}-${remembered.sequence()}\n: welcome\n\n`)
      else tell(remembered.since(lastEventId, run) ?? TOO_MANY, new Set([response]))
    },
    end: () => {
      hasEnded = true
      clearTimeout(flushTimer)
      for (const viewer of viewers) viewer.end('event: bye\ndata: {}\n\n')
    },
  }
}

/** Tells what has changed, or that everything has to be read again if that is not known. */
async function messageOf(id: string, change: Promise<object> | undefined): Promise<string> {
  const known = await change?.catch(() => undefined)
  return known === undefined
    ? `id: ${id}\nevent: reset\ndata: {}\n\n`
    : `id: ${id}\nevent: change\ndata: ${JSON.stringify(known)}\n\n`
}

async function inOrder<T>(before: Promise<void>, value: Promise<T>, use: (value: T) => void): Promise<void> {
  await before
  use(await value)
}

/** More than is remembered: everything has to be read again. */
const TOO_MANY: readonly number[] = Array.from({ length: REMEMBERED + 1 }, () => 0)

interface Memory {
  add(ids: readonly number[]): void
  sequence(): number
  /** What has changed since a message; undefined if that is not known. */
  since(lastEventId: string, run: string): number[] | undefined
}

function createMemory(): Memory {
  let entries: { readonly sequence: number; readonly id: number }[] = []
  let last = 0
  let forgotten = 0
  return {
    add: (ids) => {
      last++
      for (const id of ids.slice(-REMEMBERED)) entries.push({ sequence: last, id })
      if (ids.length > REMEMBERED) forgotten = last
      if (entries.length <= 2 * REMEMBERED) return
      forgotten = Math.max(forgotten, entries.at(-REMEMBERED - 1)?.sequence ?? 0)
      entries = entries.slice(-REMEMBERED)
    },
    sequence: () => last,
    since: (lastEventId, run) => {
      const [ofRun, text] = lastEventId.split('-')
      const sequence = Number(text)
      if (ofRun !== run || !Number.isSafeInteger(sequence) || sequence < forgotten) return undefined
      return [...new Set(entries.filter((entry) => entry.sequence > sequence).map(({ id }) => id))]
    },
  }
}
