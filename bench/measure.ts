import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { median, medianRatio } from './statistics.ts'

/** One command to time, as a whole process. */
export interface Variant {
  readonly name: string
  readonly argv: readonly [string, ...string[]]
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>
  /** The expected exit status. Default: 0. */
  readonly status?: number
}

/** What a command costs. */
export interface Cost {
  readonly name: string
  /** Wall-clock times in milliseconds, one for each round. */
  readonly times: readonly number[]
  /** Largest resident set of the process or one of its children; absent if it cannot be measured here. */
  readonly peakMb?: number
}

/** How often to measure, and for how long at most. */
export interface Effort {
  readonly rounds: number
  /** No round begins after this time, in milliseconds; there is always one. */
  readonly budgetMs: number
}

/** GNU time, which knows the largest resident set of what it ran. */
const TIME = '/usr/bin/time'
const PEAK_RUNS = 3
/** Anything that takes longer is broken. */
const COMMAND_MS = 30_000

/**
 * Times commands in turn, A B C A B C …, so that a machine that slows down slows them all.
 * @param effort one more run of each comes first and is not counted
 * @throws when a command fails: a figure for something that did not work is worth nothing
 */
export function measure(variants: readonly Variant[], { rounds, budgetMs }: Effort): Cost[] {
  const times = variants.map((): number[] => [])
  for (const variant of variants) timeOnce(variant)
  const startedAtMs = performance.now()
  for (let round = 0; round < rounds; round++) {
    if (round > 0 && performance.now() - startedAtMs > budgetMs) break
    for (const [index, variant] of variants.entries()) times[index]?.push(timeOnce(variant))
  }
  return variants.map((variant, index) => ({
    name: variant.name,
    times: times[index] ?? [],
    ...peakOf(variant, Math.min(rounds, PEAK_RUNS)),
  }))
}

/** The cost of a name. */
export function costOf(costs: readonly Cost[], name: string): Cost | undefined {
  return costs.find((cost) => cost.name === name)
}

/** The time of one command as a multiple of another's; undefined if one of them was not measured. */
export function timeRatio(costs: readonly Cost[], one: string, other: string): number | undefined {
  const [a, b] = [costOf(costs, one), costOf(costs, other)]
  return a && b && medianRatio(a.times, b.times)
}

/** @returns the milliseconds that a command took; if it fails, its stderr is the error */
export function timeOnce({ name, argv: [program, ...args], env, status: expected = 0 }: Variant): number {
  const startedAtMs = performance.now()
  const { status, stderr, error } = spawnSync(program, args, {
    env: { ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: COMMAND_MS,
    killSignal: 'SIGKILL',
  })
  const elapsedMs = performance.now() - startedAtMs
  if (status !== expected)
    throw new Error(`${name} ended with ${status}: ${error?.message ?? String(stderr)}`)
  return elapsedMs
}

function peakOf({ argv, env }: Variant, runs: number): { peakMb?: number } {
  if (!existsSync(TIME)) return {}
  const peaks = Array.from({ length: runs }, () => {
    const { stderr } = spawnSync(TIME, ['-f', '%M', ...argv], {
      env: { ...env },
      encoding: 'utf8',
      timeout: COMMAND_MS,
    })
    return Number(stderr.trim().split('\n').at(-1)) / 1024
  })
  return { peakMb: median(peaks) }
}
