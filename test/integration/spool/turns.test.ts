import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Outcome } from '../../../src/core/outcome.ts'
import { until } from '../../support/until.ts'
import { ACCEPTED, quickClock, startTestWorker } from '../../support/worker.ts'
import { alertItem, changeItem, openTestSpool, ownKey } from '../../support/spool.ts'

const FAILED: Outcome = { kind: 'retry', status: 500, reason: '500: oops' }
const isIdle = (counts: { pending: number }): boolean => counts.pending === 0
/** Each wait is as long as it may be. */
const PATIENT = { ...quickClock(), random: () => 0.999 }

test('a trigger goes before earlier change events of its key, even if they use up their rate', async (t) => {
  const { spool } = await openTestSpool(t)
  await spool.add(Array.from({ length: 150 }, (_, n) => changeItem(`${n}`)))
  const { seen } = startTestWorker(t, { spool, ratePerMinute: 110 })
  await until(() => spool.counts().delivered === 80, 'the rate of change events is used up')
  await spool.add([alertItem('trigger', 'page')])
  await until(() => spool.counts().delivered === 81, 'the trigger is delivered')
  assert.equal(seen.at(-1)?.what, 'trigger page')
  assert.equal(seen.length, 81)
})

test('of waiting events alerts go first, whichever came first', async (t) => {
  const { spool } = await openTestSpool(t)
  await spool.add(Array.from({ length: 20 }, (_, n) => changeItem(`${n}`)))
  await spool.add(Array.from({ length: 20 }, (_, n) => alertItem('trigger', `${n}`)))
  const { seen } = startTestWorker(t, { spool })
  await until(() => isIdle(spool.counts()), 'all is delivered')
  assert.ok(seen.slice(0, 20).every(({ what }) => what.startsWith('trigger')))
})

test('change events that hang leave room for an alert', async (t) => {
  const { spool } = await openTestSpool(t)
  const hung = Promise.withResolvers<void>()
  const answer = async ({ what }: { what: string }): Promise<Outcome> => {
    if (!what.startsWith('trigger')) await hung.promise
    return ACCEPTED
  }
  const { seen } = startTestWorker(t, { spool, answer })
  await spool.add(Array.from({ length: 200 }, (_, n) => changeItem(`${n}`)))
  await until(() => seen.length >= 40, 'the change events hang')
  await spool.add([alertItem('trigger', 'page')])
  await until(() => spool.counts().delivered === 1, 'the alert is delivered')
  hung.resolve()
})

for (const count of [1, 20, 100]) {
  test(`${count} events that always fail do not hold back a good alert of their key`, async (t) => {
    const { spool } = await openTestSpool(t)
    const answer = ({ what }: { what: string }): Outcome => (what.includes('poison') ? FAILED : ACCEPTED)
    const { seen } = startTestWorker(t, { spool, answer, clock: PATIENT })
    for (let number = 0; number < count; number++) await spool.add([alertItem('trigger', `poison ${number}`)])
    await until(() => seen.length > 0, 'the first has failed')
    await spool.add([alertItem('trigger', 'good')])
    await until(() => spool.counts().delivered === 1, 'the good one is delivered', 10_000)
    for (let number = 0; number < 10; number++) {
      await spool.add([alertItem('trigger', `next ${number}`), alertItem('resolve', `next ${number}`)])
      await until(() => spool.counts().delivered === 3 + 2 * number, 'more good ones are delivered')
    }
  })
}

test('change events that all fail do not hold back an alert, and vice versa', async (t) => {
  const { spool } = await openTestSpool(t)
  const bad = ownKey(1)
  const answer = ({ what, key }: { what: string; key: string }): Outcome =>
    what.startsWith('trigger') === key.endsWith('1') ? FAILED : ACCEPTED
  const { seen } = startTestWorker(t, { spool, answer, clock: PATIENT })
  const other = ownKey(2)
  await spool.add(Array.from({ length: 30 }, (_, n) => changeItem(`${n}`, other)))
  await spool.add(Array.from({ length: 30 }, (_, n) => alertItem('trigger', `${n}`, bad)))
  await until(() => seen.length > 40, 'they fail')
  await spool.add([alertItem('trigger', 'page', other), changeItem('change', bad)])
  await until(() => spool.counts().delivered === 2, 'both are delivered')
})

test('a server that is down is not tried with every event in turn', async (t) => {
  const { spool } = await openTestSpool(t)
  const { seen } = startTestWorker(t, { spool, answer: () => FAILED, clock: PATIENT })
  await spool.add(Array.from({ length: 300 }, (_, n) => alertItem('trigger', `${n}`)))
  await until(() => seen.length >= 64 + 2, 'it is asked again')
  assert.ok(seen.length < 64 + 10, `${seen.length} attempts`)
})

test('an event that was never tried does not wait for many that are retried', async (t) => {
  const { spool } = await openTestSpool(t)
  await spool.add(Array.from({ length: 100 }, (_, n) => alertItem('trigger', `old ${n}`)))
  const ids = spool.list('pending', 100).map(({ id }) => id)
  const postponed = { kind: 'postponed', reason: '500', dueAtMs: 1 } as const
  await spool.queue.settle(ids.map((id) => ({ ...postponed, id })))
  await spool.add([alertItem('trigger', 'new')])
  const { seen } = startTestWorker(t, { spool, ratePerMinute: 110 })
  await until(() => seen.length >= 90, 'as many are tried as may be')
  assert.ok(seen.slice(0, 4).some(({ what }) => what === 'trigger new'))
  assert.equal(seen.filter(({ what }) => what.startsWith('trigger old')).length, 89)
})

test('a spool of an earlier version gets the index of this one', async (t) => {
  const first = await openTestSpool(t)
  await first.spool.add([alertItem('trigger', 'a'), changeItem('b')])
  await first.spool.close()
  const path = join(first.directory, 'spool.db')
  const db = new DatabaseSync(path)
  db.exec(
    'DROP INDEX pending_turn; CREATE INDEX pending_due ON pending (key_id, due_at) WHERE due_at IS NOT NULL',
  )
  db.close()
  const { spool, warnings } = await openTestSpool(t, { directory: first.directory })
  startTestWorker(t, { spool })
  await until(() => isIdle(spool.counts()), 'all is delivered')
  const later = new DatabaseSync(path)
  t.after(() => later.close())
  const indexes = later.prepare(
    "SELECT name FROM sqlite_schema WHERE name LIKE 'pending_%' AND type = 'index'",
  )
  assert.deepEqual(
    indexes
      .all()
      .map((row) => String(row['name']))
      .toSorted((a, b) => a.localeCompare(b)),
    ['pending_alert', 'pending_turn'],
  )
  assert.deepEqual(warnings, [])
})
