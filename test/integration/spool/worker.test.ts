import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Outcome } from '../../../src/core/outcome.ts'
import { until } from '../../support/until.ts'
import { ACCEPTED, quickClock, startTestWorker } from '../../support/worker.ts'
import { alertItem, changeItem, openTestSpool, ownKey } from '../../support/spool.ts'

const DOWN: Outcome = { kind: 'retry', status: 503, reason: '503: down' }
const REFUSED: Outcome = { kind: 'refused', status: 400, reason: '400: no' }
const isIdle = (counts: { pending: number }): boolean => counts.pending === 0

test('a resolve is not attempted before its trigger is settled, however long that takes', async (t) => {
  const { spool } = await openTestSpool(t)
  let failures = 3
  let inFlight = 0
  const answer = async ({ what }: { what: string }): Promise<Outcome> => {
    assert.equal(++inFlight, 1, 'one at a time of one alert')
    await new Promise((resolve) => setTimeout(resolve, 5))
    inFlight--
    return what.startsWith('trigger') && failures-- > 0 ? DOWN : ACCEPTED
  }
  const { seen } = startTestWorker(t, { spool, answer, clock: { ...quickClock(), random: () => 0.01 } })
  await spool.add([alertItem('trigger', 'a'), alertItem('acknowledge', 'a'), alertItem('resolve', 'a')])
  await until(() => isIdle(spool.counts()), 'all is delivered')
  assert.deepEqual(
    seen.map(({ what }) => what),
    ['trigger a', 'trigger a', 'trigger a', 'trigger a', 'acknowledge a', 'resolve a'],
  )
})

test('a refused event is dead with the reason, and the next event of its alert is attempted', async (t) => {
  const { spool } = await openTestSpool(t)
  const { told, seen } = startTestWorker(t, {
    spool,
    answer: ({ what }) => (what === 'trigger a' ? REFUSED : ACCEPTED),
  })
  await spool.add([alertItem('trigger', 'a'), alertItem('resolve', 'a')])
  await until(() => isIdle(spool.counts()), 'all is settled')
  assert.deepEqual(
    seen.map(({ what }) => what),
    ['trigger a', 'resolve a'],
  )
  const [dead] = spool.list('dead', 10)
  assert.deepEqual(
    [dead?.status, dead?.reason, dead?.httpStatus, dead?.attempts],
    ['dead', '400: no', 400, 1],
  )
  assert.deepEqual(told, ['lock true', 'dead refused', 'delivered'])
})

test('dead events are retried on request: one, those of a key, or all, in their order', async (t) => {
  const { spool } = await openTestSpool(t)
  let isOpen = false
  const { seen } = startTestWorker(t, { spool, answer: () => (isOpen ? ACCEPTED : REFUSED) })
  const mine = ownKey(1)
  await spool.add([
    changeItem('1'),
    alertItem('trigger', 'a', mine),
    alertItem('resolve', 'a', mine),
    changeItem('4'),
  ])
  await until(() => spool.counts().dead === 4, 'all are dead')
  isOpen = true
  seen.length = 0
  const [first] = spool.list('dead', 1)
  assert.equal((await spool.retry({ id: first?.id ?? 0 })).retried, 1)
  assert.equal((await spool.retry({ id: first?.id ?? 0 })).retried, 0)
  assert.equal((await spool.retry({ matchesKey: ({ kind }) => kind === 'own' })).retried, 2)
  assert.equal((await spool.retry({})).retried, 1)
  await until(() => spool.counts().delivered === 4, 'all are delivered')
  const ofAlert = seen.map(({ what }) => what).filter((what) => what.endsWith(' a'))
  assert.deepEqual(ofAlert, ['trigger a', 'resolve a'])
})

test('one key’s failures never delay another’s events', async (t) => {
  const { spool } = await openTestSpool(t, { limit: 10_000 })
  const hung: (() => void)[] = []
  const bad = ownKey(1)
  const answer = async ({ key }: { key: string }): Promise<Outcome> => {
    if (!key.endsWith('1')) return ACCEPTED
    await new Promise<void>((resolve) => hung.push(resolve))
    return DOWN
  }
  startTestWorker(t, { spool, answer })
  await spool.add(Array.from({ length: 500 }, (_, n) => changeItem(`${n}`, bad)))
  await until(() => hung.length > 0, 'the bad key hangs')
  const added = await spool.add(Array.from({ length: 100 }, (_, n) => changeItem(`good ${n}`, ownKey(2))))
  const ids = added.kind === 'added' ? added.ids : []
  const progress = await spool.waitFor(ids, 5000, new AbortController().signal)
  assert.deepEqual(new Set(progress.map(({ status }) => status)), new Set(['delivered']))
  assert.equal(spool.counts().delivered, 100)
  for (const release of hung) release()
})

test('Retry-After pauses its key, and no other', async (t) => {
  const waitMs = 2000 // much more than a busy machine needs for the other key
  const { spool } = await openTestSpool(t)
  let isThrottled = true
  const answer = ({ key }: { key: string }): Outcome => {
    if (key.endsWith('2') || !isThrottled) return ACCEPTED
    isThrottled = false
    return { kind: 'retry', status: 429, reason: '429', afterMs: waitMs }
  }
  const { seen } = startTestWorker(t, { spool, answer })
  await spool.add([changeItem('first', ownKey(1))])
  await until(() => seen.length === 1, 'the first attempt is made')
  await spool.add([changeItem('second', ownKey(1)), changeItem('other', ownKey(2))])
  await until(() => isIdle(spool.counts()), 'all is delivered')
  const at = (what: string, nth = 0): number => seen.filter((one) => one.what === what)[nth]?.atMs ?? 0
  assert.ok(at('second') - at('first') >= waitMs - 1 && at('first', 1) - at('first') >= waitMs - 1)
  assert.ok(at('other') - at('first') < waitMs - 1)
})

test('a key that fails is tried with one event at a time, and all are delivered when it works again', async (t) => {
  const { spool } = await openTestSpool(t, { limit: 10_000 })
  let isDown = true
  const { seen } = startTestWorker(t, {
    spool,
    answer: () => (isDown ? DOWN : ACCEPTED),
    clock: { ...quickClock(), random: () => 0.02 },
  })
  await spool.add(Array.from({ length: 1000 }, (_, n) => changeItem(`${n}`)))
  await until(() => seen.length >= 64 + 4, 'it was tried again')
  const tried = seen.length
  assert.ok(tried < 64 + 30, `${tried} attempts`)
  isDown = false
  await until(() => isIdle(spool.counts()), 'all is delivered')
  assert.equal(spool.counts().delivered, 1000)
})

test('no key exceeds its rate, not even when another process takes over', async (t) => {
  let offsetMs = 0
  const now = (): number => Date.now() + offsetMs
  const { spool } = await openTestSpool(t, { now })
  const first = startTestWorker(t, { spool, ratePerMinute: 10 })
  await spool.add(Array.from({ length: 15 }, (_, n) => changeItem(`${n}`)))
  await spool.add([changeItem('other', ownKey())])
  await until(() => spool.counts().delivered === 11, 'the rate is used up')
  await first.worker.stop(1000)
  const second = startTestWorker(t, { spool, ratePerMinute: 10 })
  await until(() => second.worker.isDelivering(), 'the second delivers')
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.equal(second.seen.length, 0)
  offsetMs = 60_001
  await until(() => isIdle(spool.counts()), 'a minute later the rest is delivered')
  assert.equal(second.seen.length, 5)
})

test('an event that cannot be delivered until it is too old is dead, with a report; but not for its age alone', async (t) => {
  const { spool } = await openTestSpool(t)
  const clock = { ...quickClock(), random: () => 0.001 }
  const { told } = startTestWorker(t, { spool, answer: () => DOWN, clock, maxAgeMs: 1 })
  await spool.add([changeItem('old')])
  await until(() => spool.counts().dead === 1, 'it is dead')
  const retries = told.filter((what) => what === 'retry 503')
  assert.ok(retries.length >= 4)
  assert.equal(told.at(-1), 'dead too-old')
})

test('a certificate error keeps the event pending', async (t) => {
  const { spool } = await openTestSpool(t)
  const { seen } = startTestWorker(t, { spool, answer: () => ({ kind: 'unreachable', reason: 'expired' }) })
  await spool.add([changeItem('x')])
  await until(() => spool.list('pending', 1)[0]?.attempts === 1, 'it was tried')
  assert.deepEqual([seen.length, spool.list('pending', 1)[0]?.reason], [1, 'expired'])
})

test('an event whose key is not configured here waits until it is', async (t) => {
  const { spool } = await openTestSpool(t)
  let isConfigured = false
  startTestWorker(t, {
    spool,
    clock: { ...quickClock(), random: () => 0.01 },
    resolve: () => (isConfigured ? { baseUrl: 'http://pagerduty.test' } : { missing: 'no such key' }),
  })
  await spool.add([changeItem('x', { kind: 'configured', name: 'web' })])
  await until(() => spool.list('pending', 1)[0]?.attempts === 1, 'it was tried')
  assert.match(spool.list('pending', 1)[0]?.reason ?? '', /no such key/)
  isConfigured = true
  await until(() => isIdle(spool.counts()), 'it is delivered')
})

test('one process delivers, and the next one starts when the first has exited', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const { spool: other } = await openTestSpool(t, { directory })
  const first = startTestWorker(t, { spool })
  await until(() => first.worker.isDelivering(), 'the first delivers')
  const second = startTestWorker(t, { spool: other })
  await other.add([changeItem('added by the second')])
  await until(() => isIdle(other.counts()), 'the first delivers it')
  assert.deepEqual([first.seen.length, second.seen.length], [1, 0])
  await first.worker.stop(1000)
  await other.add([changeItem('after')])
  await until(() => isIdle(other.counts()), 'the second delivers it')
  assert.deepEqual([first.seen.length, second.seen.length], [1, 1])
  assert.deepEqual(first.told, ['lock true', 'delivered'])
  assert.deepEqual(second.told, ['lock false', 'lock true', 'delivered'])
})

test('stopping lets attempts in flight finish, and aborts them if that takes too long', async (t) => {
  const { spool } = await openTestSpool(t)
  const answer = async (_: unknown, signal: AbortSignal): Promise<Outcome> => {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 100)
      signal.addEventListener('abort', () => resolve())
    })
    return signal.aborted ? { kind: 'retry', reason: 'interrupted' } : ACCEPTED
  }
  const first = startTestWorker(t, { spool, answer })
  await spool.add([changeItem('1')])
  await until(() => first.seen.length === 1, 'it is in flight')
  await first.worker.stop(60_000)
  assert.deepEqual(spool.counts(), { pending: 0, delivered: 1, dead: 0 })

  const second = startTestWorker(t, { spool, answer })
  await spool.add([changeItem('2')])
  await until(() => second.seen.length === 1, 'it is in flight')
  await second.worker.stop(1)
  assert.deepEqual([spool.counts().pending, spool.list('pending', 1)[0]?.attempts], [1, 0])
})

test('waiting for an outcome works whichever process delivers, and ends on time', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  const { spool: other } = await openTestSpool(t, { directory })
  const { signal } = new AbortController()
  const added = await spool.add([alertItem('trigger', 'a')])
  const ids = added.kind === 'added' ? added.ids : []
  assert.equal((await spool.waitFor(ids, 20, signal))[0]?.status, 'pending')
  startTestWorker(t, { spool: other, answer: () => REFUSED })
  const [outcome] = await spool.waitFor(ids, 60_000, signal)
  assert.deepEqual([outcome?.status, outcome?.reason, outcome?.httpStatus], ['dead', '400: no', 400])
})

test('a clock that was set back delays nothing', async (t) => {
  const { spool, directory } = await openTestSpool(t, { now: () => Date.now() + 3_600_000 })
  const first = startTestWorker(t, { spool, answer: () => DOWN })
  await spool.add([changeItem('x')])
  await until(() => spool.list('pending', 1)[0]?.attempts === 1, 'it was tried')
  await first.worker.stop(0)
  await spool.add([changeItem('new')])
  const { spool: later } = await openTestSpool(t, { directory, now: () => Date.now() })
  startTestWorker(t, { spool: later })
  await until(() => isIdle(later.counts()), 'all is delivered')
})

test('an attempt that may not begin leaves its event pending, as if it had not been made', async (t) => {
  const { spool } = await openTestSpool(t)
  const asked: number[] = []
  const queue = { ...spool.queue, mayAttempt: () => asked.push(0) > 1 }
  const { told } = startTestWorker(t, {
    spool: { ...spool, queue },
    answer: ({ mayBegin }) => (mayBegin?.() === false ? { kind: 'retry', reason: 'interrupted' } : ACCEPTED),
  })
  await spool.add([changeItem('1')])
  await until(() => isIdle(spool.counts()), 'it is delivered')
  assert.deepEqual(told, ['lock true', 'delivered'])
  assert.equal(spool.list('delivered', 1)[0]?.attempts, 1)
})

test('an event that is added while nothing else of its key is due is attempted without being read', async (t) => {
  const { spool } = await openTestSpool(t)
  const read: number[] = []
  const due: typeof spool.queue.due = (...wanted) => {
    read.push(wanted[0])
    return spool.queue.due(...wanted)
  }
  const queue = { ...spool.queue, due, hasForeignChanges: () => false }
  const { seen } = startTestWorker(t, { spool: { ...spool, queue } })
  const isDelivered = (count: number) => (): boolean => spool.counts().delivered === count
  await spool.add([alertItem('trigger', 'a', ownKey(1))])
  await until(isDelivered(1), 'the first is delivered')
  assert.ok(read.length > 0, 'the key was not known yet')
  read.length = 0
  await spool.add([alertItem('trigger', 'b', ownKey(1))])
  await until(isDelivered(2), 'the second is delivered')
  assert.deepEqual(read, [])
  await spool.add([alertItem('trigger', 'c', ownKey(1)), alertItem('resolve', 'c', ownKey(1))])
  await until(isDelivered(4), 'the third and its resolve are delivered')
  assert.deepEqual(
    seen.map(({ what }) => what),
    ['trigger a', 'trigger b', 'trigger c', 'resolve c'],
  )
})

test('of events that are added at once, no more are in flight than a key may have, and each is sent once', async (t) => {
  const { spool } = await openTestSpool(t)
  const held = Promise.withResolvers<Outcome>()
  const { seen } = startTestWorker(t, {
    spool,
    answer: ({ what }) => (what === 'trigger first' ? ACCEPTED : held.promise),
  })
  await spool.add([alertItem('trigger', 'first')])
  await until(() => spool.counts().delivered === 1, 'the key is known')
  const names = Array.from({ length: 100 }, (_, index) => `trigger ${index}`)
  await Promise.all(names.map((_, index) => spool.add([alertItem('trigger', String(index))])))
  await until(() => seen.length === 65, 'as many are in flight as may be')
  await spool.add([alertItem('resolve', 'first')])
  assert.equal(seen.length, 65)
  held.resolve(ACCEPTED)
  await until(() => isIdle(spool.counts()), 'all are delivered')
  assert.deepEqual(
    new Set(seen.map(({ what }) => what)),
    new Set(['trigger first', 'resolve first', ...names]),
  )
  assert.equal(seen.length, 102)
})
