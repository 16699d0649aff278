import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { startSimulator, type Simulator } from '../../tools/simulator/simulator.ts'
import {
  FAULTS,
  matrixCounts,
  OCCASIONS,
  SENDING_COMMANDS,
  type Fault,
  type SendingCommand,
} from '../support/faults.ts'
import { formatCount, recordFigure } from '../support/figures.ts'
import { startFront } from '../support/front.ts'
import { CODESHIP_PRO, KEY, runProgram, type Run } from '../support/program.ts'

type Occasion = (typeof OCCASIONS)[number]

/** Limits of a run: generous if it ends on its own, short if only the deadline ends it. */
const GENEROUS = { deadlineMs: 60_000, timeoutMs: 20_000 } as const
const SHORT = { deadlineMs: 5000, timeoutMs: 4000 } as const
/** Often enough for more than one attempt that has no answer. */
const SLOW = { ...SHORT, timeoutMs: 1500 } as const
/** By how much short limits grow when a run is tried again: on a busy machine it may meet those instead of the fault. */
const PATIENCE = [1, 3, 9] as const
/** What a busy machine may add to the time of a process. */
const SLACK_MS = 10_000

/**
 * `npm run figures` runs everything. `npm test` runs every second cell: still every fault with every command, every
 * fault on both occasions, and every command on both.
 */
const IS_WHOLE = process.env['RECORD_FIGURES'] === '1'

/** What the runs did, for the page on reliability. */
const seen = { runs: 0, requests: 0, retries: 0, accepted: 0, refused: 0, undelivered: 0, overrunMs: 0 }

describe('the fault matrix', { concurrency: 10 }, () => {
  // Commands outside, so that runs that wait and runs that work go side by side.
  for (const [layer, command] of SENDING_COMMANDS.entries()) {
    for (const [row, fault] of FAULTS.entries()) {
      for (const [column, occasion] of OCCASIONS.entries()) {
        if (!IS_WHOLE && (layer + row + column) % 2 !== 0) continue
        test(`${command.name} meets ${fault.name} ${occasion}`, () => meet(fault, command, occasion))
      }
    }
  }
})

after(() => {
  const expected = matrixCounts()
  if (seen.runs !== expected.runs) return // only a part was requested, or some failed
  assert.deepEqual(expected, {
    ...expected,
    accepted: seen.accepted,
    refused: seen.refused,
    undelivered: seen.undelivered,
  })
  for (const [name, count] of Object.entries(expected)) recordFigure(`matrix ${name}`, formatCount(count))
  recordFigure('matrix requests', formatCount(seen.requests))
  recordFigure('matrix retries', formatCount(seen.retries))
  recordFigure('matrix overrun', `${(seen.overrunMs / 1000).toFixed(1)} s`)
})

async function meet(fault: Fault, command: SendingCommand, occasion: Occasion): Promise<void> {
  const isShort = fault.isSlow === true || (fault.means === 'retried' && occasion === 'on every attempt')
  const tries = isShort ? PATIENCE : [1]
  for (const patience of tries) {
    try {
      return await meetOnce(fault, command, occasion, patience)
    } catch (error) {
      if (patience === tries.at(-1)) throw error
    }
  }
}

async function meetOnce(
  fault: Fault,
  command: SendingCommand,
  occasion: Occasion,
  patience: number,
): Promise<void> {
  const simulator = await startSimulator()
  const spoilt = occasion === 'on the first attempt' ? command.posts : Infinity
  const front =
    typeof fault.happens === 'function'
      ? await startFront({ port: simulator.port, spoil: fault.happens, times: spoilt })
      : undefined
  try {
    if (typeof fault.happens !== 'function') misbehave(simulator, fault.happens, occasion)
    const limits = limitsOf(fault, occasion, patience)
    const run = await start(command, front?.url ?? simulator.url, limits)
    check({ fault, command, occasion, limits, run, simulator, isBroken: front !== undefined })
  } finally {
    await front?.close()
    await simulator.close()
  }
}

function misbehave(
  simulator: Simulator,
  behaviour: Exclude<Fault['happens'], Function>,
  occasion: Occasion,
): void {
  for (const endpoint of ['/v2/enqueue', '/v2/change/enqueue']) {
    const times = occasion === 'on the first attempt' ? { times: 1 } : {}
    simulator.behave({ endpoint, behaviour, ...times })
  }
}

interface Limits {
  readonly deadlineMs: number
  readonly timeoutMs: number
}

function limitsOf(fault: Fault, occasion: Occasion, patience: number): Limits {
  if (fault.means === 'retried' && occasion === 'on every attempt') {
    const { deadlineMs, timeoutMs } = fault.isSlow === true ? SLOW : SHORT
    return { deadlineMs: deadlineMs * patience, timeoutMs: timeoutMs * patience }
  }
  if (fault.means === 'given up') return { ...GENEROUS, deadlineMs: 25_000 } // less than PagerDuty's 30 s
  if (fault.isSlow !== true) return GENEROUS
  return { deadlineMs: GENEROUS.deadlineMs * patience, timeoutMs: 2000 * patience }
}

async function start(command: SendingCommand, url: string, { deadlineMs, timeoutMs }: Limits): Promise<Run> {
  const limits = [`--deadline=${deadlineMs}ms`, `--timeout=${timeoutMs}ms`]
  const rest = command.name === 'run' ? ['--', '/bin/true'] : []
  return await runProgram([...command.args, '--json', ...limits, ...rest], {
    env: { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: url },
    ...(command.stdin !== undefined && { stdin: command.stdin }),
  })
}

interface Met {
  readonly fault: Fault
  readonly command: SendingCommand
  readonly occasion: Occasion
  readonly limits: Limits
  readonly run: Run
  readonly simulator: Simulator
  /** Whether the spoilt attempts never reached the simulator. */
  readonly isBroken: boolean
}

interface Report {
  readonly outcome: string
  readonly exit_code: number
  readonly events: readonly { outcome: string; attempts: number; reason?: string }[]
}

function check(met: Met): void {
  const { fault, command, occasion, run, simulator } = met
  const isOnce = occasion === 'on the first attempt'
  const recovers = fault.means === 'retried' && isOnce
  const outcome =
    fault.means === 'accepted' || recovers
      ? 'accepted'
      : fault.means === 'refused'
        ? 'refused'
        : 'undelivered'
  const report = JSON.parse(run.stdout) as Report
  assert.equal(report.outcome, outcome, run.stderr)
  assert.equal(run.code, { accepted: 0, refused: 65, undelivered: 75 }[outcome])
  assert.equal(report.exit_code, run.code)
  assert.deepEqual(
    report.events.map((event) => event.outcome),
    Array.from({ length: command.posts }, () => outcome),
  )
  checkAttempts(met, report)
  checkBytes(simulator)
  checkWords(met)
  const { deadlineMs, timeoutMs } = met.limits
  const isQuick = fault.means !== 'retried' || isOnce
  const overrunMs = run.durationMs - deadlineMs
  assert.ok(overrunMs < (isQuick ? 0 : timeoutMs + SLACK_MS), `took ${run.durationMs} ms`)
  tally(outcome, report, simulator)
  if (!isQuick) seen.overrunMs = Math.max(seen.overrunMs, overrunMs)
}

function checkAttempts({ fault, command, occasion, run, simulator, isBroken }: Met, report: Report): void {
  const attempts = report.events.map((event) => event.attempts)
  const sum = attempts.reduce((a, b) => a + b, 0)
  const isOnce = occasion === 'on the first attempt'
  if (fault.means !== 'retried') assert.ok(attempts.every((count) => count === 1))
  else if (isOnce) assert.ok(attempts.every((count) => count === 2))
  const announced =
    run.stderr.match(/attempt \d+ failed: .+; next try in [\d.]+ s, [\d.]+ s left after it$/gm) ?? []
  assert.equal(announced.length, sum - attempts.length, 'each retry is announced')
  const arrived = isBroken ? (isOnce ? command.posts : 0) : sum
  assert.equal(simulator.requests.length, arrived)
}

/** Every attempt of an event carries the same bytes; only what broke off before its body has none. */
function checkBytes({ requests }: Simulator): void {
  for (const path of new Set(requests.map((request) => request.path))) {
    const bodies = requests.filter((request) => request.path === path && request.body.length > 0)
    assert.equal(new Set(bodies.map(({ body }) => body.toString('latin1'))).size <= 1, true, path)
  }
}

function checkWords({ fault, occasion, run }: Met): void {
  const { stderr } = run
  assert.doesNotMatch(stderr, new RegExp(KEY))
  if (fault.says !== undefined) assert.match(stderr, fault.says)
  if (fault.means === 'retried' && occasion === 'on every attempt')
    assert.match(stderr, /not delivered: .*\(\d+ attempts? in .*; deadline \d+ s, [\d.]+ s an attempt\)/)
  if (fault.means === 'given up')
    assert.match(stderr, /not delivered: .*\(1 attempt in .*; deadline .* an attempt\)/)
}

function tally(
  outcome: 'accepted' | 'refused' | 'undelivered',
  { events }: Report,
  { requests }: Simulator,
): void {
  seen.runs += 1
  seen[outcome] += 1
  seen.requests += requests.length
  seen.retries += events.reduce((sum, { attempts }) => sum + attempts - 1, 0)
}
