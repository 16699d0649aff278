import type { SpoolKey, SpoolQueue } from '../spool.ts'
import type { Resolution, Resolve } from './destinations.ts'
import type { KeyReport } from './types.ts'
import { createKeyState, isAtRest, reportOf, type KeyState } from './key-state.ts'

/** The window of the rate limit. */
const WINDOW_MS = 60_000

/** The states of keys that were used recently: one for each secret, however many names it has. */
export interface KeyStates {
  /** Resolves a key, before its events are looked for. */
  prepare(keyId: number): void
  /** Undefined if the spool has no such key, or its secret is still being looked up. */
  get(keyId: number): KeyState | undefined
  /** The same for a key that was not prepared just now; undefined also if its secret was missing. */
  known(keyId: number): KeyState | undefined
  /** Forgets everything, and reads from the spool how much of its rate each key used in the last minute. */
  restart(): void
  /** The state of each key that was used recently. */
  reports(): KeyReport[]
  /** Forgets keys that are not in use. */
  tidy(): void
}

export interface KeyStatesDeps {
  readonly queue: SpoolQueue
  readonly resolve: Resolve
  /** Most attempts per minute and key. */
  readonly ratePerMinute: number
  /** Called when a key is resolved. */
  readonly lookAgain: (keyId: number) => void
}

export function createKeyStates({ queue, resolve, ratePerMinute, lookAgain }: KeyStatesDeps): KeyStates {
  const groups = createGroups(ratePerMinute)
  const resolving = new Set<number>()
  /** Keys that could not be resolved just now. */
  const missed = new Set<number>()

  const get = (keyId: number): KeyState | undefined => (resolving.has(keyId) ? undefined : groups.get(keyId))
  const joinLater = async (keyId: number, resolution: Promise<Resolution>): Promise<void> => {
    resolving.add(keyId)
    const resolved = await resolution
    resolving.delete(keyId)
    const key = queue.key(keyId)
    if (key !== undefined) groups.join(keyId, key, identityOf(keyId, resolved))
    if ('missing' in resolved) missed.add(keyId)
    lookAgain(keyId)
  }
  /** Whether a key needs no resolving now. A missing key may be found later, and may equal one with another name. */
  const isSettled = (keyId: number): boolean => {
    const state = groups.get(keyId)
    if (state === undefined) return resolving.has(keyId)
    return !groups.isNameless(keyId) || state.inFlight.size > 0 || missed.delete(keyId)
  }
  const prepare = (keyId: number): void => {
    if (isSettled(keyId)) return
    const key = queue.key(keyId)
    if (key === undefined) return groups.leave(keyId)
    const resolution = resolve(key)
    if (resolution instanceof Promise) void joinLater(keyId, resolution)
    else groups.join(keyId, key, identityOf(keyId, resolution))
  }
  return {
    prepare,
    get,
    known: (keyId) => (groups.isNameless(keyId) ? undefined : get(keyId)),
    restart: () => {
      const nowMs = queue.now()
      const deliveries = queue.deliveriesSince(nowMs - WINDOW_MS).filter(({ atMs }) => atMs <= nowMs)
      groups.restart(Map.groupBy(deliveries, ({ keyId }) => keyId))
      for (const { keyId } of deliveries) prepare(keyId)
    },
    reports: () => {
      const nowMs = queue.now()
      return [...new Set(groups.keyIds().flatMap((keyId) => groups.get(keyId) ?? []))].flatMap((state) => {
        const [key] = state.keys.values()
        return key === undefined ? [] : [{ key, ...reportOf(state, nowMs) }]
      })
    },
    tidy: () => {
      const nowMs = queue.now()
      for (const keyId of groups.keyIds()) {
        const state = groups.get(keyId)
        if (state === undefined) continue
        const isGone = state.keys.size > 1 && state.inFlight.size === 0 && queue.key(keyId) === undefined
        if (isGone || isAtRest(state, nowMs)) groups.leave(keyId)
      }
    },
  }
}

/** The keys of the spool, grouped by identity. */
interface Groups {
  readonly get: (keyId: number) => KeyState | undefined
  readonly keyIds: () => number[]
  readonly join: (keyId: number, key: SpoolKey, identity: string) => void
  readonly leave: (keyId: number) => void
  /** Whether the secret of the key is unknown. */
  readonly isNameless: (keyId: number) => boolean
  /** Forgets everything, except when keys were used. */
  readonly restart: (uses: ReadonlyMap<number, readonly { readonly atMs: number }[]>) => void
}

function createGroups(ratePerMinute: number): Groups {
  const byKeyId = new Map<number, KeyState>()
  const byIdentity = new Map<string, KeyState>()
  const uses = new Map<number, readonly { readonly atMs: number }[]>()
  const leave = (keyId: number): void => {
    const state = byKeyId.get(keyId)
    byKeyId.delete(keyId)
    state?.keys.delete(keyId)
    if (state?.keys.size === 0) byIdentity.delete(state.identity)
  }
  return {
    get: (keyId) => byKeyId.get(keyId),
    keyIds: () => [...byKeyId.keys()],
    leave,
    join: (keyId, key, identity) => {
      if (byKeyId.get(keyId)?.identity === identity) return
      leave(keyId)
      const state = byIdentity.get(identity) ?? createKeyState(identity, ratePerMinute)
      byIdentity.set(identity, state)
      byKeyId.set(keyId, state)
      state.keys.set(keyId, key)
      for (const { atMs } of uses.get(keyId) ?? []) state.rateLimit.use(atMs)
      uses.delete(keyId)
    },
    isNameless: (keyId) => byKeyId.get(keyId)?.identity.startsWith(MISSING) === true,
    restart: (before) => {
      byKeyId.clear()
      byIdentity.clear()
      uses.clear()
      for (const [keyId, times] of before) uses.set(keyId, times)
    },
  }
}

const MISSING = 'missing '

/** Two keys are one if their secrets and their destinations are equal. */
function identityOf(keyId: number, resolution: Resolution): string {
  if ('missing' in resolution) return MISSING + keyId
  const { baseUrl, routingKey } = resolution
  return routingKey === undefined ? `key ${keyId}` : `${baseUrl} ${routingKey.reveal()}`
}
