import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { formatCount, recordFigure } from '../support/figures.ts'
import { residentMegabytes } from '../support/memory.ts'
import { alertBody, keyFor, post, startRelay } from '../support/relay.ts'
import { temporaryDirectory } from '../support/spool.ts'
import { judge } from './judge.ts'
import { untilDelivered } from './until-delivered.ts'

/** Events of the whole; `npm run soak` has more patience. */
const EVENTS = Number(process.env['SOAK_EVENTS'] ?? 2000)
/** Of each alert, which has a key of its own: fewer than one minute's pace, so that no key has to wait for it. */
const EVENTS_PER_ALERT = 50
const WRITERS = 32
/** PagerDuty fails as long as events are accepted, and at least this long. */
const LEAST_DOWN_MS = 3000
/** As docs/sidecar.md has it: without them V8 leaves garbage lying as long as the machine has memory. */
const MEMORY_OPTIONS = '--max-old-space-size=96 --max-semi-space-size=4'
const MAX_MEGABYTES = 256

test(`${EVENTS} events outlast a PagerDuty that is down: none is lost or overtaken, and memory stays within its bound`, async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const relay = await startRelay({
    PAGERDUTY_EVENTS_URL: simulator.url,
    PAGERDUTY_SPOOL: temporaryDirectory(t),
    PAGERDUTY_SPOOL_LIMIT: String(EVENTS),
    NODE_OPTIONS: MEMORY_OPTIONS,
  })
  const memory = watchMemory(relay.program.child.pid ?? 0)
  t.after(() => {
    memory.stop()
    return relay.stop('SIGKILL')
  })

  simulator.behave({ behaviour: { kind: 'answer', status: 503 } })
  const startedAtMs = performance.now()
  const accepted = await writeAll(relay.url)
  const acceptingMs = performance.now() - startedAtMs
  await sleep(Math.max(0, LEAST_DOWN_MS - acceptingMs))
  const refusedRequests = simulator.requests.length
  simulator.behave({ behaviour: { kind: 'usual' } })
  const recoveredAtMs = performance.now()
  assert.equal(await untilDelivered(relay.url, 300_000 + EVENTS * 10), 0)
  const deliveringMs = performance.now() - recoveredAtMs

  const { repeated, ...wrong } = judge(simulator.requests, {
    accepted,
    endedAtMs: new Map(),
    alertOfCommand: new Map(),
  })
  const { start, median, peak, end } = memory.stop()
  const figures = {
    events: formatCount(accepted.size),
    attempts: formatCount(refusedRequests),
    accepting: `${(acceptingMs / 1000).toFixed(0)} s`,
    delivering: `${(deliveringMs / 1000).toFixed(0)} s`,
    start: `${start} MB`,
    median: `${median} MB`,
    peak: `${peak} MB`,
    end: `${end} MB`,
  }
  t.diagnostic(JSON.stringify(figures))
  assert.equal(accepted.size, EVENTS)
  assert.deepEqual(wrong, { lost: [], outOfOrder: [], repeatedInVain: [], secondDeliverers: [] })
  assert.equal(repeated, 0)
  assert.ok(peak < MAX_MEGABYTES && end < 1.5 * median, JSON.stringify(figures))
  for (const [name, value] of Object.entries(figures)) recordFigure(`soak ${name}`, value)
})

/** Writes every event, those of an alert one after the other. @returns those that were accepted */
async function writeAll(url: string): Promise<Set<string>> {
  const alerts = Array.from({ length: EVENTS / EVENTS_PER_ALERT }, (_, index) => `soak-${index}`)
  const accepted = new Set<string>()
  const write = async (own: readonly string[]): Promise<void> => {
    for (let number = 0; number < EVENTS_PER_ALERT; number++) {
      for (const alert of own) {
        const summary = `${alert} ${number}`
        const payload = { summary, source: 'soak', severity: 'info' }
        const body = alertBody({ dedup_key: alert, routing_key: keyFor(alert), payload })
        const answer = await post(`${url}/v2/enqueue`, body)
        await answer.text()
        if (answer.status === 202) accepted.add(summary)
      }
    }
  }
  const writers = Array.from({ length: WRITERS }, (_, writer) =>
    write(alerts.filter((_alert, index) => index % WRITERS === writer)),
  )
  await Promise.all(writers)
  return accepted
}

/** What a process occupied of the machine's memory, in megabytes. */
interface MemoryUse {
  readonly start: number
  readonly median: number
  readonly peak: number
  readonly end: number
}

/** Samples a process's resident set five times a second. */
function watchMemory(pid: number): { readonly stop: () => MemoryUse } {
  const start = residentMegabytes(pid)
  const samples = [start]
  const timer = setInterval(() => samples.push(residentMegabytes(pid)), 200)
  return {
    stop: () => {
      clearInterval(timer)
      const sorted = samples.toSorted((a, b) => a - b)
      const median = sorted[Math.floor(sorted.length / 2)] ?? 0
      return { start, median, peak: sorted.at(-1) ?? 0, end: samples.at(-1) ?? 0 }
    },
  }
}
