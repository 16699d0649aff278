import { HOSTILE_TEXTS, type HostileText } from '../test/support/hostile.ts'
import type { Point } from './statistics.ts'
import { quickestMs } from './quickest.ts'
import { readOrRefuse, TEXT_BYTES, TEXT_WORKS, type TextWork } from './text-work.ts'

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

/** The worst shape is looked for with shorter texts. */
const TRIED_BYTES = 16 * 1024
/**
 * Up to the largest body. The last ones are four times apart: a buffer that doubles is a step in the cost, which sizes close to
 * each other would show as growth.
 */
const SIZES = [1000, 10_000, 31_250, 125_000, 500_000]
const [rounds = 1, maxBytes = 0] = process.argv.slice(2).map(Number)
const RUNS = 9
const PASSES = 100

async function costOf(work: TextWork): Promise<TextCost> {
  const timeOf = (text: string): Promise<number> => quickestMs(RUNS, () => readOrRefuse(work, text))
  const ordinary = work.make(TEXT_BYTES)
  await timeOf(ordinary) // until it is compiled
  const worst = await worstFor(work)
  const growthOf = async (make: TextWork['make']): Promise<Point[]> => {
    const points: Point[] = []
    for (const size of SIZES.filter((each) => each <= maxBytes))
      points.push({ size, cost: await timeOf(make(size)) })
    return points
  }
  return {
    ordinaryMs: await inRounds(() => timeOf(ordinary)),
    worstMs: await inRounds(() => timeOf(worst.make(TEXT_BYTES))),
    worstShape: worst.name,
    growth: await growthOf(work.make),
    worstGrowth: await growthOf(worst.make),
  }
}

async function worstFor(work: TextWork): Promise<HostileText> {
  let worst: HostileText | undefined
  let mostMs = -1
  for (const hostile of HOSTILE_TEXTS) {
    const text = hostile.make(TRIED_BYTES)
    const ms = await quickestMs(3, () => readOrRefuse(work, text))
    if (ms > mostMs) [worst, mostMs] = [hostile, ms]
  }
  if (worst === undefined) throw new Error('there is no hostile text')
  return worst
}

async function inRounds(time: () => Promise<number>): Promise<number[]> {
  const times: number[] = []
  while (times.length < rounds) times.push(await time())
  return times
}

/** One search for what is not there; one alone is shorter than the clock's steps. */
async function passMs(): Promise<number> {
  const text = TEXT_WORKS.masking.make(TEXT_BYTES)
  const ms = await quickestMs(RUNS, () => {
    for (let index = 0; index < PASSES; index++) if (text.includes('ABSENT')) throw new Error('it is there')
  })
  return ms / PASSES
}

const works: Record<string, TextCost> = {}
for (const [name, work] of Object.entries(TEXT_WORKS)) works[name] = await costOf(work)
process.stdout.write(JSON.stringify({ works, passMs: await inRounds(passMs) }))
