import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** One command to time, as a whole process. */
export interface Variant {
  readonly name: string
  readonly argv: readonly [string, ...string[]]
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>
  /** The exit status that it should have; 0 where absent. */
  readonly status?: number
}

/** What a command costs. */
export interface Cost {
  readonly name: string
  /** Median of the wall-clock times. */
  readonly ms: number
  /** Largest resident set of the process or one of its children; absent where nothing here can tell. */
  readonly peakMb?: number
}

/** GNU time, which knows the largest resident set of what it ran. */
const TIME = '/usr/bin/time'

/**
 * Times commands in turn, A B C A B C …, so that a machine that slows down slows them all.
 * @param rounds how often each is run; one more run of each comes first and is not counted
 * @throws when a command fails: a figure for something that did not work is worth nothing
 */
export function measure(variants: readonly Variant[], rounds: number): Cost[] {
  const times = variants.map((): number[] => [])
  for (let round = 0; round <= rounds; round++) {
    for (const [index, variant] of variants.entries()) {
      const elapsedMs = timeOnce(variant)
      if (round > 0) times[index]?.push(elapsedMs)
    }
  }
  return variants.map((variant, index) => ({
    name: variant.name,
    ms: median(times[index] ?? []),
    ...peakOf(variant, Math.min(rounds, 3)),
  }))
}

/** The middle value of a list. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function timeOnce({ name, argv: [program, ...args], env, status: expected = 0 }: Variant): number {
  const startedAtMs = performance.now()
  const { status, stderr, error } = spawnSync(program, args, {
    env: { ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const elapsedMs = performance.now() - startedAtMs
  if (status !== expected) throw new Error(`${name} ended with ${status}: ${error ?? String(stderr)}`)
  return elapsedMs
}

function peakOf({ argv, env }: Variant, runs: number): { peakMb?: number } {
  if (!existsSync(TIME)) return {}
  const peaks = Array.from({ length: runs }, () => {
    const { stderr } = spawnSync(TIME, ['-f', '%M', ...argv], { env: { ...env }, encoding: 'utf8' })
    return Number(stderr.trim().split('\n').at(-1)) / 1024
  })
  return { peakMb: median(peaks) }
}
