/** Counts wrong tokens by address. */
export interface WrongTokens {
  /** Whether an address has to wait before it tries again. */
  isBlocked(address: string): boolean
  note(address: string): void
}

const MOST_PER_MINUTE = 5
const MINUTE_MS = 60_000
/** Addresses that are remembered; the one that was added first makes room. */
const MAX_ADDRESSES = 1000

/** @param now milliseconds, by a clock that never steps */
export function createWrongTokens(now: () => number): WrongTokens {
  const byAddress = new Map<string, number[]>()
  const recent = (address: string): number[] =>
    (byAddress.get(address) ?? []).filter((atMs) => atMs > now() - MINUTE_MS)
  return {
    isBlocked: (address) => recent(address).length >= MOST_PER_MINUTE,
    note: (address) => {
      byAddress.set(address, [...recent(address), now()])
      const [oldest] = byAddress.keys()
      if (byAddress.size > MAX_ADDRESSES && oldest !== undefined) byAddress.delete(oldest)
    },
  }
}
