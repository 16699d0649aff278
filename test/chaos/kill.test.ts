import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import type { Behaviour } from '../../tools/simulator/behaviour.ts'
import { until } from '../support/until.ts'
import { openTestSpool } from '../support/spool.ts'
import { deploymentsOf, disagreements, REFUSED } from './agreement.ts'
import { createChance } from './chance.ts'
import { LIES } from './lies.ts'

const MEMBER = fileURLToPath(new URL('member.ts', import.meta.url))
/** Processes that are killed; `npm run chaos` has more patience. */
const KILLS = Number(process.env['CHAOS_KILLS'] ?? 50)
const MEMBERS = 4
/** Limit of each wait: much more than a busy machine needs. */
const PATIENCE_MS = 300_000
const HOUR_MS = 3_600_000
/** Attempts of one process that may be in flight, and are repeated when it is killed. */
const MAX_IN_FLIGHT = 256
const FAULTS: readonly Behaviour[] = [
  { kind: 'answer', status: 503 },
  { kind: 'answer', status: 429, headers: { 'retry-after': '0' } },
  { kind: 'reset', after: 'body' },
  { kind: 'reset', after: 'half-answer' },
  { kind: 'close' },
  { kind: 'usual', delayMs: 50 },
  ...LIES,
]

test(`after ${KILLS} kills of ${MEMBERS} processes nothing accepted is lost, and the order of each alert holds`, async (t) => {
  const chance = createChance()
  t.diagnostic(`CHAOS_SEED=${chance.seed}`)
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const { spool, directory, warnings } = await openTestSpool(t, { limit: 1_000_000 })
  simulator.behave({ containing: REFUSED, behaviour: { kind: 'answer', status: 400 } })
  const accepted: string[] = []
  const running = new Set<ChildProcess>()
  let started = 0
  // Clocks that were stepped: each process believes another time, up to an hour off.
  const start = (count: number, offsetMs = (chance.number() - 0.5) * HOUR_MS * 2): void => {
    const args = [directory, simulator.url, `p${started++}`, String(offsetMs), String(count)]
    const child = fork(MEMBER, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    running.add(child)
    child.on('message', (message: { accepted?: string; warning?: string }) => {
      if (message.accepted !== undefined) accepted.push(message.accepted)
      if (message.warning !== undefined) warnings.push(message.warning)
    })
    child.once('exit', () => running.delete(child))
  }
  t.after(() => running.forEach((child) => child.kill('SIGKILL')))

  let killed = 0
  while (killed < KILLS) {
    while (running.size < MEMBERS) start(1_000_000)
    await sleep(20 + chance.number() * 250)
    await until(() => accepted.length > killed, 'another event is accepted', PATIENCE_MS) // so that there is load
    const behaviour = FAULTS[killed % FAULTS.length]
    if (behaviour !== undefined) simulator.behave({ times: 1 + (killed % 7), behaviour })
    const victims = [...running]
    const victim = chance.pick(victims)
    if (victim.kill('SIGKILL')) killed++
    await until(() => !running.has(victim), 'the killed process is gone', PATIENCE_MS)
  }
  running.forEach((child) => child.kill('SIGKILL'))
  await until(() => running.size === 0, 'all are gone')
  start(0, HOUR_MS) // only delivers; by the latest of all clocks nothing has to wait
  await until(() => spool.counts().pending === 0, 'everything is delivered', PATIENCE_MS)

  const received = simulator.requests.flatMap(({ json }) => {
    const { payload } = (json ?? {}) as { payload?: { summary: string } }
    return payload === undefined ? [] : [payload.summary]
  })
  const taken = simulator.alerts.reduce((total, { triggers }) => total + triggers, 0)
  const distinct = new Set(received)
  const lost = accepted.filter((summary) => !distinct.has(summary))
  const isToBeRefused = (text = ''): boolean => text.includes(REFUSED)
  const repeated = taken - [...distinct].filter((summary) => !isToBeRefused(summary)).length
  t.diagnostic(
    `${killed} kills, ${accepted.length} accepted, ${received.length} requests, ${repeated} taken twice`,
  )
  assert.ok(accepted.length >= KILLS, 'there was load')
  assert.deepEqual(lost, [])
  assert.deepEqual(warnings, [])
  assert.deepEqual(disagreements(spool), [])
  const dead = spool.list('dead', 1_000_000)
  assert.deepEqual(
    dead.filter(({ dedupKey }) => !isToBeRefused(dedupKey)),
    [],
  )
  assert.ok(dead.length >= accepted.filter(isToBeRefused).length, `${dead.length} dead`)
  const told = new Map(deploymentsOf(spool).map((entry) => [entry.id, entry.told]))
  assert.equal(await spool.discard({}), dead.length)
  assert.deepEqual(new Map(deploymentsOf(spool).map((entry) => [entry.id, entry.told])), told)
  assert.ok([...told.values()].includes('dead') && [...told.values()].includes('delivered'))
  assert.ok(repeated <= (killed + 1) * MAX_IN_FLIGHT)
  const numbers = new Map<string, number[]>()
  for (const summary of received) {
    const [alert = '', number] = summary.split(' ')
    numbers.set(alert, [...(numbers.get(alert) ?? []), Number(number)])
  }
  for (const [alert, sequence] of numbers) {
    assert.deepEqual(
      sequence,
      sequence.toSorted((a, b) => a - b),
      `order of ${alert}`,
    )
  }
})
