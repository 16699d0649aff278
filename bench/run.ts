import { environment } from './build.ts'
import { timeOnce } from './measure.ts'
import { BIN } from './processes.ts'
import type { Bench } from './section.ts'

/** What commands print, by the shell script that prints it. */
const FLOOD = 'yes "a line of a deployment, about as long as most are"'
const CASES = {
  nothing: () => 'true',
  lines: (factor: number) =>
    `i=0; while [ $i -lt ${Math.round(300_000 * factor)} ]; do echo "step $i of the deployment"; i=$((i+1)); done`,
  flood: (factor: number) => floodOf(FLOOD_BYTES * factor),
  twoFloods: (factor: number) => {
    const half = floodOf((FLOOD_BYTES * factor) / 2)
    return `${half} & ${half} >&2; wait`
  },
} as const

/** The size of the long outputs, in bytes. */
export const FLOOD_BYTES = 200_000_000

/** The cases' names in the page. */
export const RUN_CASES: Readonly<Record<keyof typeof CASES, string>> = {
  nothing: 'nothing: only start and end',
  lines: '300,000 lines, one at a time',
  flood: '200 MB as fast as possible, stdout',
  twoFloods: '200 MB as fast as possible, half on each stream',
}

/** What `run` costs a command; one figure for each round, in milliseconds. */
export interface RunCost {
  readonly name: string
  readonly bareMs: readonly number[]
  readonly watchedMs: readonly number[]
}

const ROUNDS = 7
const BUDGET_MS = 45_000

/** Times commands with and without `run`, in turns. PagerDuty is not involved: `--dry-run`. */
export function measureRun({ isSmoke }: Bench): RunCost[] {
  const cases = Object.entries(CASES).map(([name, script]) => ({
    name: RUN_CASES[name as keyof typeof CASES],
    script: script(isSmoke ? 0.01 : 1),
    bareMs: [] as number[],
    watchedMs: [] as number[],
  }))
  const startedAtMs = performance.now()
  for (let round = 0; round < (isSmoke ? 1 : ROUNDS); round++) {
    if (round > 0 && performance.now() - startedAtMs > BUDGET_MS) break
    for (const { script, bareMs, watchedMs } of cases) {
      bareMs.push(timeOutput(script, false))
      watchedMs.push(timeOutput(script, true))
    }
  }
  return cases.map(({ name, bareMs, watchedMs }) => ({ name, bareMs, watchedMs }))
}

/** @returns milliseconds of a script whose streams are two pipes that somebody reads at once */
export function timeOutput(script: string, isWatched: boolean): number {
  const wrapper = isWatched ? [process.execPath, BIN, 'run', '--dry-run', '--quiet', '--'] : []
  const line = '{ "$@" 2>&3 | cat >/dev/null; } 3>&1 | cat >/dev/null'
  return timeOnce({
    name: script,
    argv: ['sh', '-c', line, 'sh', ...wrapper, 'sh', '-c', script],
    env: environment(),
  })
}

/** A script that prints this many bytes of lines as fast as possible. */
export function floodOf(bytes: number): string {
  return `${FLOOD} | head -c ${bytes}`
}
