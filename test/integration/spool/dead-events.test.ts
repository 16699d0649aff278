import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventStatus, Spool, SpoolItem } from '../../../src/spool/spool.ts'
import { KEPT_DEAD } from '../../../src/spool/trimming.ts'
import { alertItem, changeItem, openTestSpool, ownKey } from '../../support/spool.ts'

/** Adds an event whose end is known. Returns its id. */
async function put(spool: Spool, item: SpoolItem, status: EventStatus): Promise<number> {
  const [id = 0] = await putAll(spool, [item], status)
  return id
}

async function putAll(
  spool: Spool,
  items: readonly SpoolItem[],
  status: EventStatus,
): Promise<readonly number[]> {
  const added = await spool.add(items)
  assert.ok(added.kind === 'added')
  const settlements = added.ids.map((id) =>
    status === 'delivered'
      ? ({ kind: status, id, httpStatus: 202 } as const)
      : ({ kind: 'dead', id, cause: 'refused', reason: '400: no' } as const),
  )
  if (status !== 'pending') assert.equal(await spool.queue.settle(settlements), undefined)
  return added.ids
}

test('dead events make room for new events', async (t) => {
  const { spool } = await openTestSpool(t, { limit: 5 })
  await putAll(
    spool,
    Array.from({ length: 5 }, (_, n) => changeItem(`${n}`)),
    'dead',
  )
  assert.equal(spool.checkRoom(), undefined)
  await putAll(
    spool,
    Array.from({ length: 5 }, (_, n) => changeItem(`${n}`)),
    'pending',
  )
  assert.match(spool.checkRoom() ?? '', /at most 5 events/)
  assert.equal((await spool.add([changeItem('one more')])).kind, 'full')
})

test('the oldest dead events make room for newer ones, and that is reported', async (t) => {
  let crowdedOut = 0
  const { spool } = await openTestSpool(t, {
    limit: 3 * KEPT_DEAD,
    onCrowdedOut: (count) => (crowdedOut += count),
  })
  const items = Array.from({ length: KEPT_DEAD }, (_, n) => changeItem(`${n}`))
  const [oldest = 0, second = 0] = await putAll(spool, items, 'dead')
  assert.deepEqual([spool.counts().dead, crowdedOut], [KEPT_DEAD, 0])
  await put(spool, changeItem('one more'), 'dead')
  assert.deepEqual([spool.counts().dead, crowdedOut], [KEPT_DEAD, 1])
  assert.equal(spool.list('dead', 1)[0]?.id, second)
  assert.equal((await spool.retry({ id: oldest })).retried, 0)
  await putAll(spool, items.slice(0, 50), 'dead')
  assert.deepEqual([spool.counts().dead, crowdedOut], [KEPT_DEAD, 51])
})

test('dead events are discarded on request: one, those of a key, or all, and no others', async (t) => {
  const { spool } = await openTestSpool(t)
  await put(spool, changeItem('pending'), 'pending')
  await put(spool, changeItem('delivered'), 'delivered')
  const id = await put(spool, changeItem('a'), 'dead')
  await putAll(spool, [changeItem('b', ownKey(1)), changeItem('c', ownKey(1)), changeItem('d')], 'dead')
  const [pending] = spool.list('pending', 1)
  assert.equal(await spool.discard({ id: pending?.id ?? 0 }), 0)
  assert.equal(await spool.discard({ id }), 1)
  assert.equal(await spool.discard({ id }), 0)
  assert.equal(await spool.discard({ matchesKey: ({ kind }) => kind === 'own' }), 2)
  assert.equal(await spool.discard({}), 1)
  assert.deepEqual(spool.counts(), { pending: 1, delivered: 1, dead: 0 })
})

/** The state of the events of one alert in their order, and whether the first of them may be sent now. */
const HISTORIES: readonly [
  first: 'trigger' | 'acknowledge' | 'resolve',
  later: string,
  isLeftOut: boolean,
][] = [
  ['trigger', '', false],
  ['trigger', 'resolve delivered', true],
  ['trigger', 'resolve pending', true],
  ['trigger', 'resolve dead', false],
  ['trigger', 'acknowledge delivered', false],
  ['trigger', 'acknowledge pending', false],
  ['trigger', 'trigger delivered', true],
  ['resolve', 'trigger delivered', true],
  ['resolve', 'trigger pending', true],
  ['resolve', 'acknowledge delivered', false],
  ['acknowledge', 'resolve delivered', true],
]
for (const [first, later, isLeftOut] of HISTORIES) {
  const name = `a dead ${first}${later === '' ? '' : ` before a ${later}`}`
  test(`a retry of all ${isLeftOut ? 'leaves out' : 'takes'} ${name}; one by its id takes it`, async (t) => {
    const { spool } = await openTestSpool(t)
    await put(spool, alertItem('resolve', 'a'), 'delivered') // an earlier one decides nothing
    const id = await put(spool, alertItem(first, 'a'), 'dead')
    const [action, status] = later.split(' ')
    if (later !== '') await put(spool, alertItem(action as 'trigger', 'a'), status as EventStatus)
    await put(spool, alertItem('resolve', 'b'), 'delivered')
    await put(spool, alertItem('resolve', 'a', ownKey(1)), 'delivered')
    const dead = spool.counts().dead
    const expected = isLeftOut ? { retried: dead - 1, leftOut: 1 } : { retried: dead, leftOut: 0 }
    assert.deepEqual(await spool.retry({}), expected)
    assert.deepEqual(await spool.retry({ matchesKey: ({ kind }) => kind === 'configured' }), {
      retried: 0,
      leftOut: expected.leftOut,
    })
    assert.deepEqual(await spool.retry({ id }), { retried: isLeftOut ? 1 : 0, leftOut: 0 })
  })
}

test('an event that supersedes another still does after it is no longer listed', async (t) => {
  const { spool } = await openTestSpool(t, { limit: 100_000 })
  const id = await put(spool, alertItem('trigger', 'a'), 'dead')
  const resolve = await put(spool, alertItem('resolve', 'a'), 'delivered')
  for (let round = 0; round < 6; round++)
    await putAll(
      spool,
      Array.from({ length: 2000 }, (_, n) => changeItem(`${n}`)),
      'delivered',
    )
  assert.ok((spool.list('delivered', 1)[0]?.id ?? 0) > resolve, 'it is no longer listed')
  await spool.queue.tidy()
  assert.deepEqual(await spool.retry({}), { retried: 0, leftOut: 1 })
  assert.deepEqual(await spool.retry({ id }), { retried: 1, leftOut: 0 })
})
