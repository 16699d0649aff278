import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../src/core/failure.ts'
import type { FleetItem } from '../../../src/fleet/fleet-items.ts'
import { createWriteThrough, type Accepted, type WriteThrough } from '../../../src/fleet/write-through.ts'
import { toRow } from '../../../src/spool/rows.ts'
import { changeItem } from '../../support/spool.ts'
import { until } from '../../support/until.ts'

interface Statement {
  readonly items: readonly FleetItem[]
  readonly answer: () => void
  readonly fail: () => void
}

interface Setup {
  readonly writer: WriteThrough
  readonly statements: Statement[]
  /** Ids in the order in which they went to the spool. */
  readonly spooled: number[]
  readonly fallBacks: () => number
}

/** @param isDiskWorking whether ids can be reserved; given, there are none at first */
function setUp(isDiskWorking?: boolean): Setup {
  const statements: Statement[] = []
  const spooled: number[] = []
  let hasIds = isDiskWorking === undefined
  let nextId = 1
  let fallBacks = 0
  const writer = createWriteThrough({
    addToFleet: (items) =>
      new Promise((resolve, reject) => {
        const answer = (): void => resolve(items.map(({ originId }) => Number(originId) + 1000))
        statements.push({ items, answer, fail: () => reject(new Failure('undelivered', 'away')) })
      }),
    addToSpool: (_items, ids = []) => {
      spooled.push(...ids)
      return Promise.resolve({ kind: 'added', ids })
    },
    takeIds: (count) => (hasIds ? Array.from({ length: count }, () => nextId++) : undefined),
    awaitIds: async () => {
      await setImmediate()
      hasIds = isDiskWorking ?? true
    },
    randomId: () => 'random',
    toRow: (item) => toRow(item, 0),
    onFallBack: () => fallBacks++,
    onAdded: () => undefined,
  })
  return { writer, statements, spooled, fallBacks: () => fallBacks }
}

async function open(writer: WriteThrough): Promise<void> {
  await writer.hold()
  writer.open()
}
const add = (writer: WriteThrough): Promise<Accepted> => writer.add([changeItem('c')])

test('at most two statements are in flight, and the next one takes all that came while they were', async () => {
  const { writer, statements } = setUp()
  await open(writer)
  const added: Promise<Accepted>[] = []
  for (let count = 0; count < 5; count++) {
    added.push(add(writer))
    await setImmediate()
    await setImmediate()
  }
  assert.deepEqual(
    statements.map(({ items }) => items.length),
    [1, 1],
  )
  statements[0]?.answer()
  await added[0]
  await setImmediate()
  await setImmediate()
  assert.deepEqual(
    statements.map(({ items }) => items.length),
    [1, 1, 3],
  )
  for (const { answer } of statements) answer()
  assert.deepEqual(
    (await Promise.all(added)).map((accepted) => [accepted.kind, accepted.by]),
    Array.from({ length: 5 }, () => ['added', 'fleet']),
  )
})

test('a second statement does not start beside a larger one', async () => {
  const { writer, statements } = setUp()
  await open(writer)
  const added = [1, 2, 3].map(() => add(writer))
  await setImmediate()
  added.push(add(writer), add(writer))
  await setImmediate()
  await setImmediate()
  const sizes = (): number[] => statements.map(({ items }) => items.length)
  assert.deepEqual(sizes(), [3])
  added.push(add(writer))
  await setImmediate()
  await setImmediate()
  assert.deepEqual(sizes(), [3, 3])
  added.push(add(writer))
  statements[0]?.answer()
  await added[0]
  await setImmediate()
  await setImmediate()
  assert.deepEqual(sizes(), [3, 3]) // still beside a larger one
  statements[1]?.answer()
  await added[5]
  await setImmediate()
  await setImmediate()
  assert.deepEqual(sizes(), [3, 3, 1])
  statements[2]?.answer()
  await Promise.all(added)
})

test('what the fleet fails to add goes to the spool under the same id, and so does everything after it', async () => {
  const { writer, statements, spooled, fallBacks } = setUp()
  await open(writer)
  const first = add(writer)
  await setImmediate()
  await setImmediate()
  statements[0]?.fail()
  assert.deepEqual(await first, { kind: 'added', ids: [1], by: 'spool' })
  assert.deepEqual(await add(writer), { kind: 'added', ids: [2], by: 'spool' })
  assert.deepEqual(spooled, [1, 2])
  assert.equal(statements.length, 1)
  assert.equal(fallBacks(), 1)
  assert.equal(writer.mode(), 'spool')
})

test('a fleet that does not answer within a second gets nothing more', async (t: TestContext) => {
  const { writer, statements, spooled } = setUp()
  await open(writer)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const added = add(writer)
  await setImmediate()
  await setImmediate()
  t.mock.timers.tick(1000)
  assert.equal((await added).by, 'spool')
  statements[0]?.answer() // too late, and the fleet has it under the same id
  assert.deepEqual(spooled, [1])
})

test('held events wait until it is clear where they go', async () => {
  const { writer, spooled } = setUp() // at first nobody knows it
  const added = [add(writer), add(writer)]
  await sleep(10)
  assert.deepEqual(spooled, [])
  writer.fallBack()
  assert.deepEqual(
    (await Promise.all(added)).map(({ by }) => by),
    ['spool', 'spool'],
  )
})

test('a statement that fails after its events were held back keeps the fleet closed', async () => {
  const { writer, statements } = setUp()
  await open(writer)
  const late = add(writer)
  await setImmediate()
  await setImmediate()
  await writer.hold()
  statements[0]?.fail()
  await late
  writer.open()
  assert.equal(writer.mode(), 'spool')
})

test('an event that came before any id was reserved has the same id in the fleet and in the spool', async () => {
  const { writer, statements, spooled } = setUp(true)
  await open(writer)
  const added = add(writer)
  await until(() => statements.length === 1, 'it is written')
  statements[0]?.fail()
  assert.equal((await added).kind, 'added')
  assert.deepEqual(
    spooled.map(String),
    statements[0]?.items.map(({ originId }) => originId),
  )
})

test('without a disk an event goes to the fleet, and a caller whose event may be there is told so', async () => {
  const { writer, statements, spooled } = setUp(false)
  await open(writer)
  const [first, second] = [add(writer), sleep(20).then(() => add(writer))]
  await until(() => statements.length === 2, 'both are written')
  assert.deepEqual(
    statements.map(({ items }) => items[0]?.originId),
    ['random', 'random'],
  )
  statements[0]?.answer()
  statements[1]?.fail()
  assert.equal((await first).kind, 'added')
  assert.equal((await second).kind, 'unavailable')
  assert.deepEqual(spooled, [])
})
