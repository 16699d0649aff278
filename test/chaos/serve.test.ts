import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import type { Behaviour } from '../../tools/simulator/behaviour.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { formatCount, recordFigure } from '../support/figures.ts'
import { skipWithout } from '../support/required.ts'
import { openTestSpool, temporaryDirectory } from '../support/spool.ts'
import { deploymentsOf, disagreements, REFUSED } from './agreement.ts'
import { createChance } from './chance.ts'
import { mountFillingDisk } from './filling-disk.ts'
import { createFleet, type Fleet } from './fleet.ts'
import { judge } from './judge.ts'
import { LIES } from './lies.ts'
import { untilDelivered } from './until-delivered.ts'

/** Processes that are killed; `npm run chaos` has more patience. */
const KILLS = Number(process.env['CHAOS_KILLS'] ?? 50)
const RELAYS = 2
/** What is left at the end goes out at the pace of each key, and there is more of it the longer all this took. */
const REST_MS = 300_000 + KILLS * 1000
const ALERTS = Array.from({ length: 20 }, (_, index) => `posted-${index}`)
const COMMANDS = ['commanded-0', 'commanded-1']
/** Posted with the relay's key, which is named in turns as the relay's own and written out. */
const NAMED = 'named-0'
/** Alerts that PagerDuty always answers with 500, as long as processes are killed; they have the key of a good one. */
const POISON = Array.from({ length: 5 }, (_, index) => `poison-${index}`)
/** What a relay or command says about it. */
const FULL = 'the spool’s disk is full'
const FAULTS: readonly Behaviour[] = [
  { kind: 'answer', status: 500 },
  { kind: 'answer', status: 429, headers: { 'retry-after': '0' } },
  { kind: 'reset', after: 'body' },
  { kind: 'reset', after: 'half-answer' },
  { kind: 'hang', after: 'request' },
  { kind: 'close' },
  { kind: 'usual', delayMs: 50 },
  ...LIES,
]

test(`after ${KILLS} kills of relays and commands on one spool nothing accepted is lost, repeated for no reason or overtaken`, async (t) => {
  const chance = createChance()
  t.diagnostic(`CHAOS_SEED=${chance.seed}`)
  // Every process has an address of its own for it in 127.0.0.0/8.
  const simulator = await startSimulator({ host: '0.0.0.0' })
  t.after(() => simulator.close())
  const noDisk = skipWithout('mount')
  if (noDisk !== false) t.diagnostic(`the disk does not fill here: that ${noDisk}`)
  const disk = noDisk === false ? mountFillingDisk(t, chance) : undefined
  const directory = disk === undefined ? temporaryDirectory(t) : join(disk.directory, 'spool')
  const fleet = createFleet(simulator, directory, chance)
  t.after(() => fleet.killAll())
  const ending = new AbortController()
  const work = [
    ...Array.from({ length: RELAYS }, () => keepRelay(fleet, ending.signal)),
    ...ALERTS.map((alert) => fleet.post(alert, ending.signal)),
    ...COMMANDS.map((alert) => fleet.command(alert, ending.signal)),
    fleet.postNamed(NAMED, ending.signal),
    fleet.deploy('deployed-0', ending.signal),
    ...(disk === undefined ? [] : [disk.fillAndEmpty(ending.signal)]),
    ...POISON.map((alert) => fleet.postOnce(alert, ALERTS[0] ?? '', ending.signal)),
  ]
  simulator.behave({ containing: 'poison', behaviour: { kind: 'answer', status: 500 } })
  simulator.behave({ containing: REFUSED, behaviour: { kind: 'answer', status: 400 } })
  let killed = 0
  // On a busy machine the disk may not have been full by then while somebody wrote.
  const wasFull = (): boolean => disk === undefined || fleet.logs().includes(FULL)
  while (killed < KILLS || !wasFull()) {
    await sleep(100 + chance.number() * 500)
    simulator.behave({ times: 1 + Math.floor(chance.number() * 8), behaviour: chance.pick(FAULTS) })
    if (fleet.accepted.size > killed && (await fleet.killOne())) killed++ // no sooner, so that there is load
  }
  ending.abort()
  await fleet.killAll()
  await Promise.all(work)
  await fleet.killAll()
  simulator.behave({ containing: 'poison', behaviour: { kind: 'usual' } })
  const dead = await deliverRest(fleet)

  const verdict = judge(simulator.requests, fleet, disk?.fullPeriods)
  const figures = {
    kills: killed,
    accepted: fleet.accepted.size,
    requests: simulator.requests.length,
    repeated: verdict.repeated,
    'disk full': disk?.fullPeriods.length ?? 0,
  }
  t.diagnostic(JSON.stringify(figures))
  assert.ok(fleet.accepted.size >= KILLS, 'there was load')
  const { repeated, ...wrong } = verdict
  assert.deepEqual(wrong, { lost: [], outOfOrder: [], repeatedInVain: [], secondDeliverers: [] })
  assert.ok(repeated <= killed * 256, `${repeated} repeated`)
  assert.doesNotMatch(fleet.logs(), /set aside/)
  const deaths = fleet.logs().match(/^.*event is dead.*$/gm) ?? []
  assert.deepEqual(
    deaths.filter((line) => !line.includes(REFUSED)),
    [],
  )
  const { spool } = await openTestSpool(t, { directory })
  assert.deepEqual(disagreements(spool), [])
  // A full disk lets dead events make room for others.
  if (disk === undefined) assert.ok(dead >= fleet.refused.size, `${dead} dead, ${fleet.refused.size} refused`)
  const remembered = new Set(
    deploymentsOf(spool).map(({ repository, buildId }) => `${repository} ${buildId}`),
  )
  const promised = [...fleet.accepted, ...fleet.refused].filter((summary) => summary.includes('deployed'))
  assert.deepEqual(
    promised.filter((summary) => !remembered.has(summary)),
    [],
  )
  for (const [name, count] of Object.entries(figures)) recordFigure(`chaos ${name}`, formatCount(count))
})

/** Starts another relay whenever one has ended. */
async function keepRelay(fleet: Fleet, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await (await fleet.startRelay()).ended
}

/** A last relay, whose clock is ahead of all others', so that nothing waits for a time that they meant. @returns how many are dead */
async function deliverRest(fleet: Fleet): Promise<number> {
  const { url } = await fleet.startRelay(2 * 3_600_000)
  assert.ok(url !== undefined)
  return await untilDelivered(url, REST_MS)
}
