/** Keys with events and living relays, as the server last said. */
export interface Census {
  readonly activeKeys: number
  readonly relays: number
}

/**
 * How many keys one relay claims and gives back, so that each relay owns about as many of those with events as the others, and
 * keys that no other relay wants stay where they are. `owned` counts keys with events only, as the census does.
 */
export interface Share {
  /**
   * How many keys to claim: what lacks of the share, and mostly one more, so that no key waits for a relay that was counted but
   * is gone, or that does not know the key. While the others leave keys unclaimed, it is twice as many each time.
   */
  toClaim(census: Census, owned: number, nowMs: number): number
  /** Notes which keys that has claimed. */
  claimed(keyIds: readonly number[], nowMs: number): void
  /** How many of the keys that it could give back should go to others. */
  toGiveBack(census: Census, owned: number, waiting: Waiting, nowMs: number): Waiting
  /** Notes which keys were given back for that: those with something due now, and how many others. */
  gaveBack(dueKeyIds: readonly number[], later: number, nowMs: number): void
}

/** Numbers of keys that have events, but none of them in progress. */
export interface Waiting {
  /** With something due now. */
  readonly due: number
  /** With events that are due later: nobody can claim them before that, so nothing waits for a relay that wants them. */
  readonly later: number
}

/** How often to look for keys that nobody owns, without news: what others want they have claimed by then. */
export const CLAIM_MS = 1000
/** How long a relay keeps its keys, after it has found that nobody else wants them. */
export const KEEP_MS = 10_000
/** Most keys to claim beyond the share: as many as a relay has events to attempt at once. */
const MAX_BEYOND = 256

/** The share of a relay that has just started. */
export function createShare(): Share {
  let beyond = { most: 1, atMs: Number.NEGATIVE_INFINITY }
  let last = { most: 0, lack: 0 }
  let given = { keyIds: new Set<number>(), atMs: Number.NEGATIVE_INFINITY }
  let keepUntilMs = Number.NEGATIVE_INFINITY
  let isTrying = false
  return {
    toClaim: (census, owned, nowMs) => {
      const lack = lackOf(census, owned)
      const isOthersTurn = nowMs < given.atMs + CLAIM_MS
      last = { lack, most: isOthersTurn ? lack : Math.max(beyond.most, lack) }
      return last.most
    },
    claimed: (keyIds, nowMs) => {
      const isBeyond = keyIds.length > last.lack
      if (!isBeyond || keyIds.length < last.most) beyond = { most: 1, atMs: nowMs }
      else if (nowMs >= beyond.atMs + CLAIM_MS)
        beyond = { most: Math.min(MAX_BEYOND, 2 * keyIds.length), atMs: nowMs }
      const isRecent = nowMs < given.atMs + KEEP_MS
      if (isBeyond && isRecent && keyIds.some((keyId) => given.keyIds.has(keyId)))
        keepUntilMs = nowMs + KEEP_MS
    },
    toGiveBack: (census, owned, waiting, nowMs) => {
      const surplus = keysToGiveBack(census, owned)
      const later = Math.min(surplus, waiting.later)
      const isFirst = !isTrying
      isTrying = surplus > later && waiting.due > 0 && nowMs >= keepUntilMs
      if (nowMs < given.atMs + CLAIM_MS) return { due: 0, later: 0 } // others may not have claimed the last ones yet
      // First one only: if it comes back, nobody else wants any, and the relay keeps the others for a while.
      return { due: Math.min(waiting.due, isTrying ? (isFirst ? 1 : surplus - later) : 0), later }
    },
    gaveBack: (dueKeyIds, later, nowMs) => {
      if (dueKeyIds.length + later === 0) return
      given = { keyIds: new Set(dueKeyIds), atMs: nowMs }
      beyond = { most: 1, atMs: nowMs }
    },
  }
}

/** How many keys a relay lacks of its share. */
export function lackOf(census: Census, owned: number): number {
  return Math.max(0, shareOf(census) - owned)
}

/** How many keys each relay should own. */
function shareOf({ activeKeys, relays }: Census): number {
  return Math.ceil(activeKeys / Math.max(1, relays))
}

/** A relay that has more than this of its share gives back all of the rest at once. */
const TOLERANCE = 1.1

/** A few too many go back one by one, so that keys do not move back and forth as their number changes. */
function keysToGiveBack(census: Census, owned: number): number {
  const share = shareOf(census)
  if (owned > share * TOLERANCE + 1) return owned - share
  return owned > share + 1 ? 1 : 0 // it may claim one more
}
