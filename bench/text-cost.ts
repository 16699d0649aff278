import { HOSTILE_TEXTS, type HostileText } from '../test/support/hostile.ts'
import type { Point } from './statistics.ts'
import { quickestMs, TEXT_WORKS, type TextWork } from './text-work.ts'

/*
 * What it costs to mask and to read texts: ordinary ones, and the hostile one that costs most. Prints the JSON of a
 * `TextCosts`.
 * usage: text-cost.ts ROUNDS MAX_BYTES
 */

/** Milliseconds for a text of `TEXT_BYTES`, one for each round. */
export interface TextCost {
  readonly ordinaryMs: readonly number[]
  readonly worstMs: readonly number[]
  /** What the text is made of that costs most. */
  readonly worstShape: string
  /** Ordinary texts. */
  readonly growth: readonly Point[]
  /** Texts of the worst shape. */
  readonly worstGrowth: readonly Point[]
}

export interface TextCosts {
  readonly works: Readonly<Record<keyof typeof TEXT_WORKS, TextCost>>
  /** One search for what is not there. */
  readonly passMs: readonly number[]
}

/** As much of an output as is masked. */
export const TEXT_BYTES = 128 * 1024
/** The worst shape is looked for with shorter texts. */
const TRIED_BYTES = 16 * 1024
const SIZES = [1000, 10_000, 100_000, 400_000, 800_000, 1_600_000]
const [rounds = 1, maxBytes = 0] = process.argv.slice(2).map(Number)
const RUNS = 9

function costOf({ make, read }: TextWork): TextCost {
  const ordinary = make(TEXT_BYTES)
  quickestMs(() => read(ordinary), RUNS) // until it is compiled
  const worst = worstFor(read)
  const hostile = worst.make(TEXT_BYTES)
  const each = (text: string): number[] =>
    Array.from({ length: rounds }, () => quickestMs(() => read(text), RUNS))
  const growthOf = (makeText: (bytes: number) => string): Point[] =>
    SIZES.filter((size) => size <= maxBytes).map((size) => {
      const text = makeText(size)
      return { size, cost: quickestMs(() => read(text), RUNS) }
    })
  return {
    ordinaryMs: each(ordinary),
    worstMs: each(hostile),
    worstShape: worst.name,
    growth: growthOf(make),
    worstGrowth: growthOf(worst.make),
  }
}

function worstFor(read: TextWork['read']): HostileText {
  const costs = HOSTILE_TEXTS.map((text) => {
    const hostile = text.make(TRIED_BYTES)
    return { text, ms: quickestMs(() => read(hostile), 3) }
  })
  const [worst] = costs.toSorted((a, b) => b.ms - a.ms)
  if (worst === undefined) throw new Error('there is no hostile text')
  return worst.text
}

function passMs(): number[] {
  const text = TEXT_WORKS.masking.make(TEXT_BYTES)
  const count = 100 // one alone is shorter than the clock's steps
  const pass = (): void => {
    for (let index = 0; index < count; index++) if (text.includes('ABSENT')) throw new Error('it is there')
  }
  return Array.from({ length: rounds }, () => quickestMs(pass, RUNS) / count)
}

const works = Object.fromEntries(Object.entries(TEXT_WORKS).map(([name, work]) => [name, costOf(work)]))
process.stdout.write(JSON.stringify({ works, passMs: passMs() }))
