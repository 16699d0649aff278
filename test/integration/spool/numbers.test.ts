import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { until } from '../../support/until.ts'
import { startTestWorker } from '../../support/worker.ts'
import { CODESHIP_PRO, KEY, runProgram } from '../../support/program.ts'
import { alertBody, post, startRelay } from '../../support/relay.ts'
import { alertItem, changeItem, openTestSpool, temporaryDirectory } from '../../support/spool.ts'

const DAY_MS = 24 * 3_600_000

/** Times that no process of this program should have written, though one may have, or the disk. */
const NUMBERS = [Date.now() + DAY_MS, 9.1e15, '9223372036854775807', '-9223372036854775808', -1]
for (const number of NUMBERS) {
  test(`an event that is due at ${number} is delivered now, and the store is kept`, async (t) => {
    const { spool, directory, warnings } = await openTestSpool(t)
    await spool.add([alertItem('trigger', 'a'), alertItem('resolve', 'a'), changeItem('b')])
    const db = new DatabaseSync(join(directory, 'spool.db'))
    db.exec(`UPDATE pending SET due_at = ${number} WHERE due_at = 0`)
    db.close()
    const { seen } = startTestWorker(t, { spool })
    await until(() => spool.counts().pending === 0, 'all is delivered')
    assert.deepEqual(seen.map(({ what }) => what).toSorted(), ['b', 'resolve a', 'trigger a'])
    assert.deepEqual([spool.counts().delivered, warnings], [3, []])
  })
}

test('an event with other numbers out of range is delivered and listed, and so are the others', async (t) => {
  const { spool, directory, warnings } = await openTestSpool(t)
  await spool.add([changeItem('a'), changeItem('b')])
  const db = new DatabaseSync(join(directory, 'spool.db'))
  const most = '9223372036854775807'
  db.exec(`UPDATE pending SET accepted_at = ${most}, attempts = ${most}, http_status = ${most}`)
  db.close()
  assert.doesNotThrow(() =>
    spool.list('pending', 10).map(({ acceptedAtMs }) => new Date(acceptedAtMs).toISOString()),
  )
  assert.equal(spool.oldestPendingAgeMs(), 0)
  let isFirst = true
  const { seen } = startTestWorker(t, {
    spool,
    answer: ({ what }) => {
      if (what !== 'a' || !isFirst) return { kind: 'accepted', status: 202 }
      isFirst = false
      return { kind: 'retry', reason: '503', afterMs: 0 }
    },
  })
  await until(() => spool.counts().pending === 0, 'all is delivered')
  assert.equal(seen.length, 3)
  assert.deepEqual([spool.counts().delivered, spool.list('delivered', 10).length, warnings], [2, 2, []])
})

for (const dueAtMs of [Number.POSITIVE_INFINITY, Number.NaN, 9.1e15, -5, Date.now() + DAY_MS]) {
  test(`an attempt that is postponed until ${dueAtMs} is made now`, async (t) => {
    const { spool } = await openTestSpool(t)
    const added = await spool.add([changeItem('a')])
    assert.ok(added.kind === 'added')
    const [id = 0] = added.ids
    assert.equal(await spool.queue.settle([{ kind: 'postponed', id, reason: '503', dueAtMs }]), undefined)
    const { seen } = startTestWorker(t, { spool })
    await until(() => seen.length === 1, 'it is tried')
  })
}

const ABSURD: Readonly<Record<string, string>>[] = [
  { 'retry-after': '9'.repeat(21) },
  { 'retry-after': '9'.repeat(400) },
  { 'retry-after': '9100000000000' },
  { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' },
  { 'ratelimit-reset': String(Date.now() + 30_000) },
]

test('no header of an answer crashes a relay, a command or flush, or pauses a key for more than five minutes', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  for (const headers of ABSURD) {
    const label = JSON.stringify(headers).slice(0, 60)
    const env = {
      ...CODESHIP_PRO,
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_EVENTS_URL: simulator.url,
      PAGERDUTY_SPOOL: temporaryDirectory(t),
      PAGERDUTY_DEADLINE: '1s',
    }
    const behaviour = { kind: 'answer', status: 429, headers } as const
    simulator.behave({ behaviour })
    assert.equal((await runProgram(['failure'], { env })).code, 0, `it is kept: ${label}`)
    assert.equal((await runProgram(['flush'], { env })).code, 75, label)
    const relay = await startRelay(env)
    t.after(() => relay.stop('SIGKILL'))
    assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody())).status, 202, label)
    await until(() => relay.log().includes('event not delivered yet'), 'it was tried')
    const [, waitMs] = /retry_in_ms=(\d+)/.exec(relay.log()) ?? []
    assert.ok(Number(waitMs) <= 301_000, `${waitMs} ms: ${label}`)
    assert.equal((await relay.stop()).code, 0, label)
    assert.deepEqual(
      readdirSync(env.PAGERDUTY_SPOOL).filter((name) => name.includes('damaged')),
      [],
    )
  }
})
