import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JsonObject } from '../../../src/core/json.ts'
import { describeDeployment } from '../../../src/spool/deployment-log.ts'
import type { ListedSpool } from '../../../src/spool/listing.ts'
import type { Spool, SpoolItem } from '../../../src/spool/spool.ts'
import { KEPT_DEAD } from '../../../src/spool/trimming.ts'
import { alertItem, changeItem, DEFAULT_KEY, openTestSpool } from '../../support/spool.ts'

const T0 = Date.parse('2026-03-01T12:00:00Z')

function told(details: JsonObject, atMs = T0): SpoolItem {
  const payload = { summary: 's', timestamp: new Date(atMs).toISOString(), custom_details: details }
  return { event: { kind: 'change', body: { payload } }, key: DEFAULT_KEY }
}

function deployed(build: string, more: JsonObject = {}, atMs = T0): SpoolItem {
  const common = { outcome: 'success', repository: 'acme/shop', environment: 'production', build_id: build }
  return told({ ...common, ...more }, atMs)
}

async function add(spool: Spool, ...items: readonly SpoolItem[]): Promise<readonly number[]> {
  const added = await spool.add(items)
  assert.ok(added.kind === 'added')
  return added.ids
}

const list = (spool: Spool, query: object = {}): ReturnType<Spool['deployments']['list']> =>
  spool.deployments.list({ limit: 100, ...query })

test('an accepted success is remembered with its resolve, and says whether PagerDuty has them', async (t) => {
  const { spool } = await openTestSpool(t)
  const ids = await add(spool, deployed('1'), alertItem('resolve', 'deploy/acme/shop/production'))
  const seen = (): unknown =>
    list(spool).map(({ id, state, told: is, eventIds }) => ({ id, state, is, eventIds }))
  assert.deepEqual(seen(), [{ id: ids[0], state: 'success', is: 'waiting', eventIds: ids }])
  const settle = async (index: number, kind: 'delivered' | 'dead'): Promise<void> => {
    const result =
      kind === 'dead' ? ({ kind, cause: 'refused', reason: 'no' } as const) : { kind, httpStatus: 202 }
    await spool.queue.settle([{ id: ids[index] ?? 0, ...result }])
  }
  await settle(0, 'delivered')
  assert.deepEqual(list(spool)[0]?.told, 'waiting')
  await settle(1, 'dead')
  assert.deepEqual(list(spool)[0]?.told, 'dead')
})

const REFUSED = { kind: 'dead', cause: 'refused', reason: 'no' } as const

for (const [name, remove] of [
  ['discarded', async (spool: Spool, id: number) => void (await spool.discard({ id }))],
  [
    'discarded with a reason',
    async (spool: ListedSpool, id: number) => void (await spool.discardOne(id, 'n')),
  ],
  ['discarded with all others', async (spool: Spool) => void (await spool.discard({}))],
] as const) {
  test(`a deployment one of whose events was refused and ${name} stays untold`, async (t) => {
    const { spool } = await openTestSpool(t)
    const [change = 0, resolve = 0] = await add(
      spool,
      deployed('1'),
      alertItem('resolve', 'deploy/acme/shop/production'),
    )
    const [other = 0] = await add(spool, deployed('2'))
    await spool.queue.settle([
      { kind: 'delivered', id: change, httpStatus: 202 },
      { ...REFUSED, id: resolve },
      { kind: 'delivered', id: other, httpStatus: 202 },
    ])
    await remove(spool, resolve)
    const seen = (): unknown => list(spool).map(({ buildId, told: is }) => [buildId, is])
    const expected = [
      ['2', 'delivered'],
      ['1', 'dead'],
    ]
    assert.deepEqual([seen(), spool.counts().dead], [expected, 0])
    await add(spool, deployed('1'))
    assert.deepEqual(seen(), expected, 'also after it is reported again')
  })
}

test('a deployment whose refused event made room for later ones stays untold', async (t) => {
  const { spool } = await openTestSpool(t, { limit: 2 * KEPT_DEAD })
  const refuse = async (...items: readonly SpoolItem[]): Promise<void> => {
    const ids = await add(spool, ...items)
    await spool.queue.settle(ids.map((id) => ({ ...REFUSED, id })))
  }
  await refuse(deployed('1'))
  await refuse(...Array.from({ length: KEPT_DEAD }, (_, n) => changeItem(`${n}`)))
  assert.equal(spool.counts().dead, KEPT_DEAD)
  assert.deepEqual(
    list(spool).map(({ told: is }) => is),
    ['dead'],
  )
})

test('failures are counted in the order in which they were reported, whatever the clocks say', async (t) => {
  const { spool } = await openTestSpool(t)
  const hourMs = 3_600_000
  const note = async (
    build: string,
    state: 'success' | 'failure' | 'cancelled',
    atMs: number,
  ): Promise<number> =>
    await spool.deployments.note({ identity: 'deploy/shop', state, buildId: build, endedAtMs: atMs })
  assert.equal(await note('1', 'success', T0 + hourMs), 0)
  assert.equal(await note('2', 'failure', T0), 1)
  assert.equal(await note('3', 'cancelled', T0), 0)
  assert.equal(await note('4', 'failure', T0 - hourMs), 2)
  assert.equal(await note('4', 'failure', T0 - hourMs), 2, 'and once if reported again')
  const seen = list(spool).map(({ buildId, told: is, eventIds }) => [buildId, is, eventIds])
  assert.deepEqual(seen[0], ['4', undefined, []], 'PagerDuty has not been told yet')
})

test('a success of a deployment that began before a failure, and ended after it, counts', async (t) => {
  const { spool } = await openTestSpool(t)
  const identity = 'deploy/acme/shop/production'
  await add(spool, deployed('1', { outcome: 'started' }))
  await add(spool, deployed('2', { outcome: 'failure' }))
  await add(spool, deployed('1'))
  const failure = { identity, state: 'failure', buildId: '3', endedAtMs: T0 } as const
  assert.equal(await spool.deployments.note(failure), 1)
})

test('events that are not deployments are not remembered', async (t) => {
  const { spool } = await openTestSpool(t)
  await add(spool, changeItem('a flag was switched on'), alertItem('trigger', 'disk'))
  assert.deepEqual(list(spool), [])
})

test('a start and an outcome of the same build are one deployment, those of two builds are two', async (t) => {
  const { spool } = await openTestSpool(t)
  await add(spool, deployed('1', { outcome: 'started' }))
  await add(spool, deployed('2', { outcome: 'started' }, T0 + 1000))
  await add(spool, deployed('1', { outcome: 'failure' }, T0 + 60_000))
  const seen = list(spool).map(({ buildId, state, startedAtMs, endedAtMs }) => [
    buildId,
    state,
    startedAtMs,
    endedAtMs,
  ])
  assert.deepEqual(seen, [
    ['2', 'started', T0 + 1000, undefined],
    ['1', 'failure', T0, T0 + 60_000],
  ])
})

test('a build is known again whatever its number looks like, beside others and those without one', async (t) => {
  const { spool } = await openTestSpool(t)
  const builds = ['1', '11', 'a"b\\c', 'é €/😀', '"buildId":"1"', 'a\u2028\tb']
  const unnamed = { outcome: 'started', repository: 'acme/shop', environment: 'production' }
  await add(spool, told(unnamed, T0 - 1000))
  for (const build of builds) await add(spool, deployed(build, { outcome: 'started' }))
  for (const build of builds) {
    const [id = 0] = await add(spool, deployed(build, { outcome: 'failure' }, T0 + 1000))
    await spool.queue.settle([{ ...REFUSED, id }])
    await spool.discardOne(id, 'no') // SQLite rewrites the record
    await add(spool, deployed(build, { outcome: 'failure' }, T0 + 1000))
  }
  const seen = list(spool).map(({ buildId, state, eventIds }) => [buildId, state, eventIds.length])
  assert.deepEqual(seen.toReversed(), [
    [undefined, 'started', 1],
    ...builds.map((build) => [build, 'failure', 3]),
  ])
})

test('deployments are listed the newest first, by filters and page by page', async (t) => {
  const { spool } = await openTestSpool(t)
  for (let build = 1; build <= 7; build++) {
    const outcome = build % 3 === 0 ? 'failure' : 'success'
    const environment = build % 2 === 0 ? 'staging' : 'production'
    await add(spool, deployed(String(build), { outcome, environment }, T0 + build * 1000))
  }
  const builds = (query: object): (string | undefined)[] => list(spool, query).map(({ buildId }) => buildId)
  assert.deepEqual(builds({}), ['7', '6', '5', '4', '3', '2', '1'])
  assert.deepEqual(builds({ environment: 'staging' }), ['6', '4', '2'])
  assert.deepEqual(builds({ outcome: 'failure' }), ['6', '3'])
  assert.deepEqual(builds({ environment: 'production', outcome: 'failure' }), ['3'])
  assert.deepEqual(builds({ repository: 'acme/other' }), [])
  assert.deepEqual(builds({ sinceMs: T0 + 5000 }), ['7', '6', '5'])
  const first = list(spool, { limit: 3 })
  assert.deepEqual(builds({ limit: 3, beforeId: first.at(-1)?.id }), ['4', '3', '2'])
})

test('a spool of an earlier version is given the table, and keeps its events', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  await add(spool, deployed('1'))
  await spool.close()
  const db = new DatabaseSync(join(directory, 'spool.db'))
  db.exec('DROP TABLE deployments')
  db.close()
  const again = await openTestSpool(t, { directory })
  assert.deepEqual([list(again.spool), again.spool.counts().pending, again.warnings], [[], 1, []])
  await add(again.spool, deployed('2'))
  assert.equal(list(again.spool).length, 1)
})

test('only the last 10,000 deployments are kept, give or take some', async (t) => {
  const { spool } = await openTestSpool(t, { limit: 20_000 })
  const items = (from: number, to: number): SpoolItem[] =>
    Array.from({ length: to - from }, (_, index) => deployed(String(from + index)))
  // All of one identity would be compared with the ten before each, which is what happens; that is enough for a test.
  for (let from = 0; from < 12_000; from += 2000) await add(spool, ...items(from, from + 2000))
  const kept = list(spool, { limit: 20_000 })
  assert.ok(kept.length >= 10_000 && kept.length <= 10_500, String(kept.length))
  assert.equal(kept[0]?.buildId, '11999')
})

test('a row that the disk has altered is left out of the list', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  await add(spool, deployed('1'))
  await add(spool, deployed('2', {}, T0 + 1000))
  await add(spool, deployed('3', {}, T0 + 2000))
  const db = new DatabaseSync(join(directory, 'spool.db'))
  db.exec(`UPDATE deployments SET record = '{"ident' WHERE record LIKE '%"1"%'`)
  db.exec(
    `UPDATE deployments SET event_ids = '7', started_at = 9223372036854775807 WHERE record LIKE '%"2"%'`,
  )
  db.close()
  assert.deepEqual(
    list(spool).map(({ buildId }) => buildId),
    ['3'],
  )
  assert.equal(spool.deployments.endedSince(0).length, 3)
})

test('a duration or a time that no clock can show refuses no event', async (t) => {
  const { spool } = await openTestSpool(t)
  const odd: JsonObject[] = [
    { duration_seconds: 1e300 },
    { duration_seconds: -1 },
    { started_at: '+275760-09-13T00:00:00Z' },
    { started_at: '-271821-04-20T00:00:00Z' },
    { started_at: 'yesterday' },
  ]
  for (const [index, details] of odd.entries()) await add(spool, deployed(String(index), details))
  assert.equal(list(spool).map(describeDeployment).length, odd.length)
})

test('a search finds deployments by what people know them by, in either case, and by nothing else', async (t) => {
  const { spool } = await openTestSpool(t)
  await add(spool, deployed('1', { commit_message: 'Charge cards "once"', committer: 'Jane Doe' }))
  await add(spool, deployed('2', { commit: 'ABCDEF0123', branch: 'hot/fix' }, T0 + 1000))
  const builds = (text: string): (string | undefined)[] => list(spool, { text }).map(({ buildId }) => buildId)
  for (const text of ['CARDS "ONCE"', 'jane d', 'once"']) assert.deepEqual(builds(text), ['1'], text)
  for (const text of ['abcdef', 'hot/', '2']) assert.deepEqual(builds(text), ['2'], text)
  assert.deepEqual(builds('Acme/Shop'), ['2', '1'])
  for (const text of ['committer', 'identity', '%', '"message"']) assert.deepEqual(builds(text), [], text)
})

test('what is current is the latest of each identity, unless it was cancelled, and its latest success', async (t) => {
  const { spool } = await openTestSpool(t)
  const outcomes = [
    ['1', 'success', 'production'],
    ['2', 'success', 'production'],
    ['3', 'failure', 'production'],
    ['4', 'failure', 'production'],
    ['5', 'cancelled', 'production'],
    ['6', 'failure', 'staging'],
    ['7', 'success', 'staging'],
    ['8', 'cancelled', 'nowhere'],
  ] as const
  for (const [index, [build, outcome, environment]] of outcomes.entries())
    await add(spool, deployed(build, { outcome, environment }, T0 + index * 1000))
  const builds = (query: object): unknown =>
    list(spool, { isCurrent: true, ...query }).map(({ buildId }) => buildId)
  assert.deepEqual(builds({}), ['7', '4', '2'])
  assert.deepEqual(builds({ environment: 'production' }), ['4', '2'])
  assert.deepEqual(
    list(spool, { identity: 'deploy/acme/shop/staging' }).map(({ buildId }) => buildId),
    ['7', '6'],
  )
})
