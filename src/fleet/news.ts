import type { Connected } from './connect.ts'
import type { Lane } from './lane.ts'

/** What one relay did that others want to know. */
export interface Told {
  readonly dueKeyIds: readonly number[]
  readonly changedIds: readonly number[]
}

/** News of all relays: those of this one at once, those of others when the server passes them on. */
export interface News {
  tell(told: Told): void
  /** The same, without the listeners of this process. */
  tellOthers(told: Told): void
  readonly onDue: (listener: (keyIds: ReadonlySet<number>) => void) => () => void
  readonly onChange: (listener: (ids: readonly number[]) => void) => () => void
  /** Listens on a new connection. Behind a pooler that lends connections for a transaction only, nothing arrives. */
  listenOn(connected: Connected): Promise<void>
  close(): void
}

/** News are collected this long before they are passed on. */
const COLLECT_MS = 50
/** Most ids in one message; a payload of PostgreSQL has less than 8000 bytes. */
const MAX_IDS = 400
const TOPICS = ['due', 'changed'] as const
type Topic = (typeof TOPICS)[number]
const CHANNEL = 'pagerduty_alert_'

/**
 * @param lane gives the lane to pass news on with
 * @param id   marks this relay's own news: no other relay has it
 */
export function createNews(lane: () => Lane, id: string): News {
  const dueListeners = new Set<(keyIds: ReadonlySet<number>) => void>()
  const changeListeners = new Set<(ids: readonly number[]) => void>()
  const waiting: Record<Topic, Set<number>> = { due: new Set(), changed: new Set() }
  let timer: NodeJS.Timeout | undefined
  const hear = (topic: Topic, ids: readonly number[]): void => {
    if (topic === 'due') for (const listener of dueListeners) listener(new Set(ids))
    else for (const listener of changeListeners) listener(ids)
  }
  const passOn = async (): Promise<void> => {
    timer = undefined
    for (const topic of TOPICS) {
      const ids = [...waiting[topic]]
      waiting[topic].clear()
      for (let from = 0; from < ids.length; from += MAX_IDS) {
        const payload = `${id} ${ids.slice(from, from + MAX_IDS).join(',')}`
        await lane().run('SELECT pagerduty_alert.announce($1, $2)', [topic, payload])
      }
    }
  }
  const tellOthers = ({ dueKeyIds, changedIds }: Told): void => {
    if (dueKeyIds.length + changedIds.length === 0) return
    for (const keyId of dueKeyIds) waiting.due.add(keyId)
    for (const eventId of changedIds) waiting.changed.add(eventId)
    // Others poll as well, so what cannot be passed on is only late.
    timer ??= setTimeout(() => void passOn().catch(() => undefined), COLLECT_MS)
  }
  return {
    tell: (told) => {
      if (told.dueKeyIds.length > 0) hear('due', told.dueKeyIds)
      if (told.changedIds.length > 0) hear('changed', told.changedIds)
      tellOthers(told)
    },
    tellOthers,
    onDue: (listener) => listenerOf(dueListeners, listener),
    onChange: (listener) => listenerOf(changeListeners, listener),
    listenOn: async ({ client }) => {
      client.on('notification', ({ channel, payload = '' }) => {
        const [by, ids = ''] = payload.split(' ')
        const topic = TOPICS.find((name) => channel === CHANNEL + name)
        if (topic !== undefined && by !== id) hear(topic, ids.split(',').map(Number))
      })
      for (const topic of TOPICS) await client.query(`LISTEN ${CHANNEL}${topic}`)
    },
    close: () => clearTimeout(timer),
  }
}

function listenerOf<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
