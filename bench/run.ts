import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { median } from './measure.ts'

const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))

/** Shell scripts that print a number of lines or bytes, and what each is to show. */
const CASES = {
  'nothing, so start and end alone': () => 'true',
  'lines one at a time': (lines: number) =>
    `i=0; while [ $i -lt ${lines} ]; do echo "step $i of the deployment"; i=$((i+1)); done`,
  'lines as fast as they come, stdout': (lines: number) => `${FLOOD} | head -n ${lines * 12}`,
  'lines as fast as they come, each stream': (lines: number) =>
    `${FLOOD} | head -n ${lines * 12} & ${FLOOD} | head -n ${lines * 12} >&2; wait`,
} as const

const FLOOD = 'yes "a line of a deployment, about as long as most are"'

/** What `run` costs a command. */
export interface RunCost {
  readonly name: string
  readonly bareMs: number
  readonly watchedMs: number
}

/** Times commands with and without `run`, in turns. PagerDuty is not involved: `--dry-run`. */
export function measureRun(lines: number, rounds: number): RunCost[] {
  const watched = [process.execPath, BIN, 'run', '--dry-run', '--quiet', '--']
  return Object.entries(CASES).map(([name, script]) => {
    const times = Array.from({ length: rounds }, () => ({
      bare: timeScript(script(lines), []),
      watched: timeScript(script(lines), watched),
    }))
    return {
      name,
      bareMs: median(times.map(({ bare }) => bare)),
      watchedMs: median(times.map((time) => time.watched)),
    }
  })
}

/** @returns milliseconds of a script whose streams are two pipes that somebody reads at once */
function timeScript(script: string, wrapper: readonly string[]): number {
  const line = '{ "$@" 2>&3 | cat >/dev/null; } 3>&1 | cat >/dev/null'
  const startedAtMs = performance.now()
  const { status } = spawnSync('sh', ['-c', line, 'sh', ...wrapper, 'sh', '-c', script], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`ended with ${status}: ${script}`)
  return performance.now() - startedAtMs
}
