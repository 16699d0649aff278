import { randomInt } from 'node:crypto'

/** Chance that can be repeated: the same seed makes the same choices. */
export interface Chance {
  /** Printed by a test, and given again as CHAOS_SEED. */
  readonly seed: number
  /** In [0, 1). */
  readonly number: () => number
  /** One of the choices, which are not none. */
  readonly pick: <T>(choices: readonly T[]) => T
}

/** @param seed that of CHAOS_SEED, or else a new one */
export function createChance(seed = Number(process.env['CHAOS_SEED'] ?? randomInt(2 ** 31))): Chance {
  let state = seed
  // Mulberry32, of Tommy Ettinger: far better than is needed here, in three lines.
  const number = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    seed,
    number,
    pick: (choices) => {
      const chosen = choices[Math.floor(number() * choices.length)]
      if (chosen === undefined) throw new Error('there is nothing to choose from')
      return chosen
    },
  }
}
