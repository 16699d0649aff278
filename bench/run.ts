import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/*
 * What `run` costs a command that prints a lot, against the same command without it: `node bench/run.ts`, after
 * `npm run build`. Runs alternate, so that a busy machine slows both; medians are compared. PagerDuty is not involved.
 */

const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
const ROUNDS = 5

/** Shell scripts, and what each is to show. */
const CASES = {
  'nothing, so the start alone': 'true',
  'a line at a time, 300,000 lines':
    'i=0; while [ $i -lt 300000 ]; do echo "step $i of the deployment"; i=$((i+1)); done',
  '200 MB of lines on stdout': 'yes "a line of a deployment, about as long as most are" | head -c 200000000',
  '200 MB of lines on each stream':
    'l="a line of a deployment, about as long as most are"; yes "$l" | head -c 200000000 & yes "$l" | head -c 200000000 >&2; wait',
} as const

/** @returns milliseconds of a script whose streams are two pipes that somebody reads at once */
function timeScript(script: string, wrapper: readonly string[]): number {
  const line = '{ "$@" 2>&3 | cat >/dev/null; } 3>&1 | cat >/dev/null'
  const startedAt = performance.now()
  const { status } = spawnSync('sh', ['-c', line, 'sh', ...wrapper, 'sh', '-c', script], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`ended with ${status}: ${script}`)
  return performance.now() - startedAt
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

const watched = [process.execPath, BIN, 'run', '--dry-run', '--quiet', '--']
for (const [title, script] of Object.entries(CASES)) {
  const times = Array.from({ length: ROUNDS }, () => ({
    bare: timeScript(script, []),
    run: timeScript(script, watched),
  }))
  const [bare, run] = [median(times.map((time) => time.bare)), median(times.map((time) => time.run))]
  console.log(
    `${title}: ${bare.toFixed(0)} ms bare, ${run.toFixed(0)} ms with run, ${(run / bare).toFixed(2)} times`,
  )
}
