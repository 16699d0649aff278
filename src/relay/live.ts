import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { createChangeMemory, type ChangeMemory } from './change-memory.ts'

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
  /** Whether another process has changed something since the last call. */
  readonly hasForeignChanges: () => boolean
  /** The JSON of the state of the relay, which can also change without any event, such as after a wait. */
  readonly describe: () => Promise<object>
  /** The JSON of these events. */
  readonly describeEvents: (ids: readonly number[]) => Promise<readonly object[]>
}

const MAX_VIEWERS = 100
/** Changes within this time are sent together. */
const COALESCE_MS = 100
/** How often to look for changes of other processes while there are viewers. */
const POLL_MS = 200
/** How often to look for a new state of the relay: every second. */
const POLLS_PER_LOOK = 5
/** How often to send something, so that proxies do not close an idle connection: every 15 s. */
const POLLS_PER_COMMENT = 75
/** A viewer that falls this far behind is disconnected; it reconnects and reads everything again. */
const MAX_BEHIND_BYTES = 65_536
/** Most events that one message describes; if more have changed, it says so. Nobody reads 250 rows a second. */
const MAX_DESCRIBED = 25

/** Has no viewers yet. */
export function createLive(deps: LiveDeps): Live {
  const memory = createChangeMemory()
  const messages = createMessages(deps, memory)
  const changed = new Set<number>()
  let isMoreChanged = false
  let told: string | undefined
  let flushTimer: NodeJS.Timeout | undefined
  let flushedAtMs = Number.NEGATIVE_INFINITY
  let hasEnded = false

  const tell = createOutbox(({ text, state }, send) => {
    told = state ?? told
    if (!hasEnded) send(text)
  })
  const flush = (): void => {
    flushTimer = undefined
    flushedAtMs = performance.now()
    tell(messages.change([...changed], isMoreChanged), (text) => viewers.send(text))
    changed.clear()
    isMoreChanged = false
  }
  const flushSoon = (): void => {
    const waitMs = flushedAtMs + COALESCE_MS - performance.now()
    flushTimer ??= setTimeout(flush, Math.max(0, waitMs))
  }
  const look = async (): Promise<void> => {
    const state = JSON.stringify(await deps.describe())
    if (told === state) return
    isMoreChanged = true
    flushSoon()
  }
  const viewers = createViewers((polls) => {
    if (deps.hasForeignChanges()) {
      memory.forget()
      isMoreChanged = true
      flushSoon()
    } else if (polls % POLLS_PER_LOOK === 0) look().catch(() => undefined) // the next message says what fails
  })
  deps.onChange((ids) => {
    memory.add(ids)
    if (viewers.count() === 0) return
    for (const id of ids) changed.add(id)
    flushSoon()
  })
  return {
    isFull: () => viewers.count() >= MAX_VIEWERS || hasEnded,
    attach: (response, lastEventId) => {
      if (viewers.count() === 0 && deps.hasForeignChanges()) memory.forget() // there were no viewers for a while
      viewers.add(response)
      tell(messages.welcome(lastEventId), (text) => viewers.sendTo(response, text))
    },
    end: () => {
      hasEnded = true
      clearTimeout(flushTimer)
      viewers.end('event: bye\ndata: {}\n\n')
    },
  }
}

type Send = (text: string) => void

/** Uses messages in the order in which they were begun, however long it takes to describe their events. */
function createOutbox(
  use: (message: Message, send: Send) => void,
): (message: Promise<Message>, send: Send) => void {
  let used = Promise.resolve()
  const useAfter = async (before: Promise<void>, message: Promise<Message>, send: Send): Promise<void> => {
    await before
    use(await message, send)
  }
  return (message, send) => {
    used = useAfter(used, message, send)
  }
}

interface Message {
  readonly text: string
  /** The state of the relay, if the message has it. */
  readonly state?: string
}

interface Messages {
  /** Says how these events are now, and whether more has changed. Never rejects. */
  change(ids: readonly number[], isMore: boolean): Promise<Message>
  /**
   * For a viewer that comes back: what it missed. A new one reads everything, again if it has before: what changed between
   * that and its first message would otherwise stay unknown. Never rejects.
   */
  welcome(lastEventId: string | undefined): Promise<Message>
}

function createMessages({ describe, describeEvents }: LiveDeps, memory: ChangeMemory): Messages {
  const run = randomUUID().slice(0, 8)
  const id = (): string => `${run}-${memory.sequence()}`
  const change: Messages['change'] = async (ids, isMore) => {
    const start = id()
    try {
      const [state, events] = await Promise.all([describe(), describeEvents(ids.slice(-MAX_DESCRIBED))])
      const isAll = !isMore && events.length === ids.length // some ids are of deployments without an event
      const data = JSON.stringify({ ...state, events, ...(!isAll && { more: true }) })
      return { text: `id: ${start}\nevent: change\ndata: ${data}\n\n`, state: JSON.stringify(state) }
    } catch {
      return reset(start) // what is read again then says what fails
    }
  }
  return {
    change,
    welcome: async (lastEventId) => {
      const [ofRun, sequence] = lastEventId?.split('-') ?? []
      const missed = ofRun === run ? memory.since(Number(sequence)) : undefined
      if (missed !== undefined) return await change(missed, false)
      const start = id()
      try {
        return { ...reset(start), state: JSON.stringify(await describe()) }
      } catch {
        return reset(start)
      }
    },
  }
}

/** Everything has to be read again. */
function reset(id: string): Message {
  return { text: `id: ${id}\nevent: reset\ndata: {}\n\n` }
}

interface Viewers {
  count(): number
  add(viewer: ServerResponse): void
  sendTo(viewer: ServerResponse, text: string): void
  send(text: string): void
  end(text: string): void
}

/** @param onPoll called regularly while there are viewers, with the number of calls so far */
function createViewers(onPoll: (polls: number) => void): Viewers {
  const viewers = new Set<ServerResponse>()
  let timer: NodeJS.Timeout | undefined
  let polls = 0
  const sendTo = (viewer: ServerResponse, text: string): void => {
    if (!viewers.has(viewer)) return
    if (viewer.writableLength + (viewer.socket?.writableLength ?? 0) > MAX_BEHIND_BYTES) viewer.destroy()
    else viewer.write(text)
  }
  const send = (text: string): void => {
    for (const viewer of viewers) sendTo(viewer, text)
  }
  const leave = (viewer: ServerResponse): void => {
    viewers.delete(viewer)
    if (viewers.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
  return {
    count: () => viewers.size,
    sendTo,
    send,
    add: (viewer) => {
      viewers.add(viewer)
      viewer.once('close', () => leave(viewer))
      viewer.socket?.once('end', () => viewer.destroy()) // a page that was closed
      viewer.flushHeaders()
      timer ??= setInterval(() => {
        if (++polls % POLLS_PER_COMMENT === 0) send(': still here\n\n')
        onPoll(polls)
      }, POLL_MS)
    },
    end: (text) => {
      for (const viewer of viewers) viewer.end(text)
    },
  }
}
