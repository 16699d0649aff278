/** Keys with events and living relays, as the server last said. */
export interface Census {
  readonly activeKeys: number
  readonly relays: number
}

/** How many keys each relay should own. */
function shareOf({ activeKeys, relays }: Census): number {
  return Math.ceil(activeKeys / Math.max(1, relays))
}

/**
 * How many keys to claim: up to the share, and always one more, so that no key waits for a relay that was counted but is gone.
 */
export function keysToClaim(census: Census, owned: number): number {
  return Math.max(1, shareOf(census) - owned)
}

/** A relay that has more than this of its share gives back all of the rest at once. */
const TOLERANCE = 1.1

/** How many keys to give back to others: a few too many one by one, so that keys do not move back and forth as their number changes. */
export function keysToGiveBack(census: Census, owned: number): number {
  const share = shareOf(census)
  if (owned > share * TOLERANCE + 1) return owned - share
  return owned > share + 1 ? 1 : 0 // it may claim one more
}
