import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Event } from '../../../src/core/event.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import type { Start } from '../../../src/spool/deadlines.ts'
import type { SpoolOptions } from '../../../src/spool/open.ts'
import type { ListedSpool as Spool } from '../../../src/spool/listing.ts'
import type { SpoolItem, SpoolKey } from '../../../src/spool/spool.ts'
import { DEFAULT_KEY, openTestSpool, ownKey } from '../../support/spool.ts'

const T0 = Date.parse('2026-03-01T12:00:00Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE

function details(build: string, more: JsonObject = {}): JsonObject {
  return { repository: 'acme/shop', environment: 'production', ...(build && { build_id: build }), ...more }
}

function started(build: string, atMs = T0, key = 'deploy/acme/shop/production'): Event {
  const custom = details(build, { outcome: 'started', started_at: new Date(atMs).toISOString() })
  const payload = {
    summary: 'Deployment of acme/shop',
    source: 's',
    severity: 'error',
    custom_details: custom,
  } as const
  return { kind: 'alert', body: { event_action: 'trigger', dedup_key: key, payload } }
}

function start(build: string, more: Partial<Start> = {}, atMs = T0): Start {
  return { event: started(build, atMs), keys: [DEFAULT_KEY], withinMs: 30 * MINUTE, ...more }
}

function outcome(build: string, state: string, atMs: number, more: JsonObject = {}): SpoolItem {
  const custom = details(build, { outcome: state, ...more })
  const payload = { summary: 's', timestamp: new Date(atMs).toISOString(), custom_details: custom }
  return { event: { kind: 'change', body: { payload } }, key: DEFAULT_KEY }
}

/** A spool whose clocks the test moves. */
interface Timed {
  readonly spool: Spool
  readonly directory: string
  /** By the system's time; the kernel's clock moves along. */
  readonly pass: (ms: number) => void
  /** Steps the system's time alone. */
  readonly step: (ms: number) => void
  /** Opens it again, as a process that is started then would. */
  readonly restart: (boot?: string) => Promise<Spool>
}

async function timedSpool(t: TestContext, options: Partial<SpoolOptions> = {}): Promise<Timed> {
  let nowMs = T0
  let uptimeMs = 1000 * HOUR
  const open = async (id: string, directory?: string): Promise<{ spool: Spool; directory: string }> =>
    await openTestSpool(t, {
      now: () => nowMs,
      boot: () => ({ id, uptimeMs }),
      ...(directory !== undefined && { directory }),
      ...options,
    })
  const { spool, directory } = await open('boot 1')
  return {
    spool,
    directory,
    pass: (ms) => {
      nowMs += ms
      uptimeMs += ms
    },
    step: (ms) => void (nowMs += ms),
    restart: async (boot = 'boot 1') => {
      if (boot !== 'boot 1') uptimeMs = 5000
      return (await open(boot, directory)).spool
    },
  }
}

const summaries = async (spool: Spool): Promise<string[]> =>
  (await spool.deadlines.expire()).missed.map(({ summary }) => summary)

const NEVER = 'Deployment of acme/shop began 30 minutes ago (build 1) and never ended'

test('a deployment that never ends is told once, when its time is over', async (t) => {
  const { spool, pass } = await timedSpool(t)
  assert.deepEqual(await spool.deadlines.begin(start('1')), {
    kind: 'running',
    dueInMs: 30 * 60_000,
    isKnown: false,
  })
  const [running] = spool.deployments.list({ limit: 9 })
  assert.equal(running?.state, 'started')
  assert.ok(running.dueAtMs !== undefined)
  pass(30 * MINUTE - 1000)
  assert.deepEqual(await spool.deadlines.expire(), { missed: [], nextInMs: 1000 })
  pass(1000)
  assert.deepEqual(spool.deadlines.counts(), { open: 0, overdue: 1 })
  assert.deepEqual(await summaries(spool), [NEVER])
  assert.deepEqual(await summaries(spool), [])
  const [event] = spool.list('pending', 9)
  assert.deepEqual([event?.action, event?.dedupKey], ['trigger', 'deploy/acme/shop/production'])
  const [overdue] = spool.deployments.list({ limit: 9 })
  assert.deepEqual([overdue?.state, overdue?.isOverdue, overdue?.eventIds], ['failure', true, [event?.id]])
})

for (const state of ['success', 'failure', 'cancelled']) {
  test(`the outcome ${state}, a second before the deadline, ends it`, async (t) => {
    const { spool, pass } = await timedSpool(t)
    await spool.deadlines.begin(start('1'))
    pass(30 * MINUTE - 1000)
    await spool.add([outcome('1', state, T0 + 30 * MINUTE - 1000)])
    pass(HOUR)
    assert.deepEqual(await summaries(spool), [])
    assert.deepEqual([spool.counts().pending, spool.deadlines.counts().open], [1, 0])
  })
}

test('an outcome a second after the deadline replaces the failure that was assumed', async (t) => {
  const { spool, pass } = await timedSpool(t)
  await spool.deadlines.begin(start('1'))
  pass(30 * MINUTE)
  assert.deepEqual(await summaries(spool), [NEVER])
  await spool.add([outcome('1', 'success', T0 + 30 * MINUTE + 1000)])
  const [record, more] = spool.deployments.list({ limit: 9 })
  assert.deepEqual([record?.state, record?.isOverdue, more], ['success', undefined, undefined])
})

test('the outcome of another build, environment or key ends nothing', async (t) => {
  const { spool, pass } = await timedSpool(t)
  await spool.deadlines.begin(start('1'))
  await spool.add([outcome('2', 'success', T0), outcome('1', 'success', T0, { environment: 'staging' })])
  await spool.add([outcome('1', 'success', T0, { dedup_key: 'my-own' })])
  pass(30 * MINUTE)
  assert.equal((await summaries(spool)).length, 1)
})

test('under a key of one’s own, an outcome that names the key ends it', async (t) => {
  const { spool, pass } = await timedSpool(t)
  await spool.deadlines.begin(start('1', { event: started('1', T0, 'my-own') }))
  await spool.add([outcome('1', 'cancelled', T0, { dedup_key: 'my-own' })])
  pass(HOUR)
  assert.deepEqual(await summaries(spool), [])
})

test('without a build, the key alone decides', async (t) => {
  const { spool, pass } = await timedSpool(t)
  await spool.deadlines.begin(start('1'))
  await spool.add([outcome('', 'success', T0)])
  await spool.deadlines.begin(start('', {}, T0 + 1000))
  await spool.add([outcome('2', 'success', T0 + 2000)])
  pass(HOUR)
  assert.deepEqual(await summaries(spool), [])
})

test('a newer start of the same build replaces the deadline, and one of another build does not', async (t) => {
  const { spool, pass } = await timedSpool(t)
  await spool.deadlines.begin(start('1'))
  await spool.deadlines.begin(start('2'))
  pass(20 * MINUTE)
  await spool.deadlines.begin(start('1', {}, T0 + 20 * MINUTE))
  pass(10 * MINUTE)
  assert.deepEqual(await summaries(spool), [NEVER.replace('build 1', 'build 2')])
  pass(20 * MINUTE)
  assert.deepEqual(await summaries(spool), [NEVER])
})

test('a sign of life keeps the beginning, and is told when nothing follows it', async (t) => {
  const { spool, pass } = await timedSpool(t)
  await spool.deadlines.begin(start('1'))
  pass(20 * MINUTE)
  const alive = await spool.deadlines.begin(start('1', { elapsedMs: 20 * MINUTE }))
  assert.deepEqual(alive, { kind: 'running', dueInMs: 30 * 60_000, isKnown: true })
  pass(30 * MINUTE)
  assert.deepEqual(await summaries(spool), [
    'Deployment of acme/shop began 50 minutes ago (build 1), was last heard from 30 minutes ago and never ended',
  ])
})

test('a start that arrives after its outcome, or after its deadline, starts no clock', async (t) => {
  const { spool, pass } = await timedSpool(t)
  await spool.add([outcome('1', 'success', T0 + 1000, { started_at: new Date(T0).toISOString() })])
  assert.deepEqual(await spool.deadlines.begin(start('1')), { kind: 'ended' })
  await spool.deadlines.begin(start('2'))
  pass(30 * MINUTE)
  await spool.deadlines.expire()
  assert.deepEqual(await spool.deadlines.begin(start('2', { elapsedMs: 30 * MINUTE })), { kind: 'ended' })
  pass(HOUR)
  assert.deepEqual(await summaries(spool), [])
})

test('the same build that is run again after its deadline has a deadline of its own', async (t) => {
  const { spool, pass } = await timedSpool(t)
  await spool.deadlines.begin(start('1'))
  pass(31 * MINUTE)
  await spool.deadlines.expire()
  assert.equal((await spool.deadlines.begin(start('1', {}, T0 + 31 * MINUTE))).kind, 'running')
  pass(30 * MINUTE)
  assert.equal((await summaries(spool)).length, 1)
})

test('without a time limit a deployment is only recorded', async (t) => {
  const { spool, pass } = await timedSpool(t)
  const { withinMs: _, ...unlimited } = start('1')
  assert.deepEqual(await spool.deadlines.begin(unlimited), { kind: 'running', dueInMs: undefined })
  pass(24 * HOUR)
  assert.deepEqual(await spool.deadlines.expire(), { missed: [], nextInMs: undefined })
  assert.equal(spool.deployments.list({ limit: 9 })[0]?.state, 'started')
})

test('a deadline that passes while no process runs is noticed by the next one', async (t) => {
  const { spool, pass, restart } = await timedSpool(t)
  await spool.deadlines.begin(start('1'))
  await spool.close()
  pass(HOUR)
  const again = await restart()
  assert.deepEqual(await summaries(again), [NEVER.replace('30 minutes', '60 minutes')])
})

for (const hours of [-1, 1]) {
  test(`a clock that is set ${hours} h between two processes moves no deadline`, async (t) => {
    const { spool, pass, step, restart } = await timedSpool(t)
    await spool.deadlines.begin(start('1'))
    pass(10 * MINUTE)
    await spool.close()
    step(hours * HOUR)
    const again = await restart()
    assert.deepEqual(await again.deadlines.expire(), { missed: [], nextInMs: 20 * MINUTE })
    pass(20 * MINUTE)
    assert.deepEqual(await summaries(again), [NEVER])
  })
}

test('after a boot with a clock an hour behind, no deadline is further away than it ever was', async (t) => {
  const { spool, pass, step, restart } = await timedSpool(t)
  await spool.deadlines.begin(start('1'))
  pass(10 * MINUTE)
  await spool.close()
  step(-HOUR)
  const again = await restart('boot 2')
  assert.equal((await again.deadlines.expire()).nextInMs, 30 * MINUTE)
})

test('two processes that look at the same time trigger one alert', async (t) => {
  const { spool, pass, restart } = await timedSpool(t)
  await spool.deadlines.begin(start('1'))
  const other = await restart()
  pass(30 * MINUTE)
  const found = await Promise.all([spool, other, spool, other].map(summaries))
  assert.deepEqual(found.flat(), [NEVER])
  assert.equal(spool.counts().pending, 1)
})

test('the alert goes to every key that its start was told with, a caller’s own included', async (t) => {
  const { spool, pass, restart } = await timedSpool(t)
  const keys: SpoolKey[] = [DEFAULT_KEY, ownKey(7)]
  await spool.deadlines.begin(start('1', { keys }))
  await spool.queue.tidy()
  await spool.close()
  const again = await restart()
  pass(30 * MINUTE)
  await again.deadlines.expire()
  const used = again.list('pending', 9).map(({ key }) => (key.kind === 'own' ? key.key.reveal() : key.name))
  const [, own] = keys
  assert.deepEqual(used, ['default', own?.kind === 'own' && own.key.reveal()])
})

test('an alert that a full spool does not take is triggered later', async (t) => {
  const { spool, pass } = await timedSpool(t, { limit: 1 })
  await spool.add([outcome('9', 'success', T0)])
  await spool.deadlines.begin(start('1'))
  pass(30 * MINUTE)
  const expiry = await spool.deadlines.expire()
  assert.deepEqual([expiry.missed, expiry.problem], [[], 'the spool is full'])
  const [pending] = spool.list('pending', 1)
  await spool.queue.settle([{ kind: 'delivered', id: pending?.id ?? 0, httpStatus: 202 }])
  assert.deepEqual(await summaries(spool), [NEVER])
})

test('a row that the disk has altered is told, too', async (t) => {
  const { spool, directory, pass } = await timedSpool(t)
  await spool.deadlines.begin(start('1'))
  const db = new DatabaseSync(join(directory, 'spool.db'))
  db.exec(`UPDATE deadlines SET event = '{"pay', key_ids = 'x', span = 9223372036854775807`)
  db.close()
  pass(30 * MINUTE)
  const [summary] = await summaries(spool)
  assert.match(summary ?? '', /^Deployment under the key deploy\/acme\/shop\/production began .*never ended$/)
  assert.equal(spool.list('pending', 1)[0]?.dedupKey, 'deploy/acme/shop/production')
})

test('a spool of an earlier version is given the table', async (t) => {
  const { spool, directory, restart } = await timedSpool(t)
  await spool.close()
  const db = new DatabaseSync(join(directory, 'spool.db'))
  db.exec('DROP TABLE deadlines')
  db.close()
  const again = await restart()
  assert.equal((await again.deadlines.begin(start('1'))).kind, 'running')
})
