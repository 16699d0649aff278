import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { examineSpool } from '../../../src/spool/open.ts'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { until } from '../../support/until.ts'
import { startTestWorker } from '../../support/worker.ts'
import { CODESHIP_PRO, KEY, runProgram } from '../../support/program.ts'
import { alertBody, post, startRelay } from '../../support/relay.ts'
import { alertItem, changeItem, openTestSpool, temporaryDirectory } from '../../support/spool.ts'

const ANOTHER_PROGRAM = /is another program’s database/
const CANNOT_BE_OPENED = /the spool cannot be opened/

function database(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
}

/** What may be found in place of the store, and the message; nothing is kept there. */
const STRANGE: readonly (readonly [name: string, make: (path: string) => void, says: RegExp])[] = [
  [
    'another program’s database with tables of the same names',
    (path) => database(path, 'CREATE TABLE keys (x); CREATE TABLE pending (y)'),
    ANOTHER_PROGRAM,
  ],
  [
    'another program’s database of the same version',
    (path) => database(path, 'CREATE TABLE x (y); PRAGMA user_version = 2'),
    ANOTHER_PROGRAM,
  ],
  [
    'another program’s database without tables',
    (path) => database(path, 'PRAGMA application_id = 7; PRAGMA user_version = 2'),
    ANOTHER_PROGRAM,
  ],
  ['a directory', (path) => mkdirSync(path), CANNOT_BE_OPENED],
  ['a pipe', (path) => execFileSync('mkfifo', [path]), /the spool’s disk is failing/],
]

for (const [name, make, says] of STRANGE) {
  test(`${name} is reported, and not changed`, async (t) => {
    const directory = temporaryDirectory(t)
    const path = join(directory, 'spool.db')
    make(path)
    const isDatabase = says === ANOTHER_PROGRAM
    const before = isDatabase && readFileSync(path)
    const examined = (await examineSpool(directory)).problem?.reason
    assert.match(examined ?? '', isDatabase ? says : /is not a regular file/)
    const { spool, warnings } = await openTestSpool(t, { directory })
    const { told } = startTestWorker(t, { spool })
    const added = await spool.add([changeItem('x')])
    assert.match(warnings.join(), says)
    assert.match(added.kind === 'unavailable' ? added.reason : added.kind, says)
    await until(() => says.test(told.join()), 'the deliverer reports it')
    assert.deepEqual(isDatabase && readFileSync(path), before)
  })
}

test('an empty file becomes a spool', async (t) => {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, 'spool.db'), '')
  const { spool, warnings } = await openTestSpool(t, { directory })
  assert.equal((await spool.add([changeItem('x')])).kind, 'added')
  assert.deepEqual(warnings, [])
})

test('another program’s file in place of the lock is reported, and nothing is delivered without a lock', async (t) => {
  const { spool, directory } = await openTestSpool(t)
  await spool.add([changeItem('x')])
  writeFileSync(join(directory, 'deliver.lock'), 'not a lock\n'.repeat(1000))
  const { told, seen } = startTestWorker(t, { spool })
  await until(() => told.length > 0, 'it is reported')
  assert.match(told.join(), /problem deliver\.lock .* is another program’s file/)
  assert.deepEqual(seen, [])
})

for (const [name, make] of [
  ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
  ['a directory', (path: string) => mkdirSync(path)],
] as const) {
  test(`${name} in place of the reserve is no obstacle`, async (t) => {
    const directory = temporaryDirectory(t)
    make(join(directory, 'spool.reserve'))
    const { spool, warnings } = await openTestSpool(t, { directory })
    assert.equal((await spool.add([changeItem('x')])).kind, 'added')
    assert.deepEqual(warnings, [])
  })
}

test('no file is written or created through a symbolic link with the name of the reserve or the lock', async (t) => {
  const directory = temporaryDirectory(t)
  const [foreign, absent] = [join(temporaryDirectory(t), 'foreign'), join(directory, 'absent')]
  writeFileSync(foreign, 'of somebody else')
  chmodSync(foreign, 0o644)
  symlinkSync(foreign, join(directory, 'spool.reserve'))
  symlinkSync(absent, join(directory, 'deliver.lock'))
  const { spool } = await openTestSpool(t, { directory })
  await spool.add([changeItem('x')])
  const { told } = startTestWorker(t, { spool })
  await until(() => told.length > 0, 'the lock is reported')
  assert.match(told.join(), /problem .*: a symbolic link in it leads nowhere/)
  assert.equal(readFileSync(foreign, 'utf8'), 'of somebody else')
  assert.equal(statSync(foreign).mode & 0o777, 0o644)
  assert.equal(existsSync(absent), false)
})

/** A spool as `kill -9` leaves it: with a log, and what processes share of it. */
async function makeKilledSpool(t: TestContext): Promise<string> {
  const { spool, directory } = await openTestSpool(t)
  await spool.add([changeItem('1'), changeItem('2')])
  const copy = temporaryDirectory(t)
  for (const file of ['spool.db', 'spool.db-wal', 'spool.db-shm'])
    copyFileSync(join(directory, file), join(copy, file))
  return copy
}

for (const [name, change] of [
  ['is missing', (path: string) => rmSync(path)],
  ['is garbage', (path: string) => writeFileSync(path, Buffer.alloc(32_768, 7))],
] as const) {
  test(`if the part of the log that processes share (-shm) ${name}, it is created again`, async (t) => {
    const directory = await makeKilledSpool(t)
    change(join(directory, 'spool.db-shm'))
    const { spool, warnings } = await openTestSpool(t, { directory })
    const { seen } = startTestWorker(t, { spool })
    await until(() => seen.length === 2, 'both are delivered')
    assert.deepEqual(warnings, [])
  })
}

test('the log of another database is reported, and nothing in it is sent', async (t) => {
  const { spool: earlier, directory } = await openTestSpool(t)
  await earlier.close()
  const path = join(directory, 'spool.db')
  const db = new DatabaseSync(join(directory, 'other.db'))
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE x (y); INSERT INTO x VALUES (zeroblob(9000))')
  copyFileSync(join(directory, 'other.db-wal'), `${path}-wal`)
  db.close()
  const { spool, warnings } = await openTestSpool(t, { directory })
  const { told, seen } = startTestWorker(t, { spool })
  assert.equal((await spool.add([changeItem('x')])).kind, 'unavailable')
  await until(() => told.length > 0, 'it is reported')
  assert.match(warnings.join(), ANOTHER_PROGRAM)
  assert.deepEqual(seen, [])
})

test('events that can only be read are delivered once by each process, which is reported', async (t) => {
  const { spool: earlier, directory } = await openTestSpool(t)
  await earlier.add([changeItem('x')])
  await earlier.close()
  mkdirSync(join(directory, 'spool.db-shm')) // SQLite reads without it, and cannot write
  const { spool } = await openTestSpool(t, { directory })
  const { seen, told } = startTestWorker(t, { spool })
  await until(() => spool.counts().pending === 0, 'it is delivered')
  assert.match(told.join(), /problem the spool (is read-only|cannot be opened)/)
  assert.deepEqual([seen.length, spool.queue.unwritten()], [1, 1])
  rmSync(join(directory, 'spool.db-shm'), { recursive: true })
})

test('files of another user are reported', async (t) => {
  const directory = await makeKilledSpool(t)
  for (const file of ['spool.db', 'spool.db-wal', 'spool.db-shm']) chmodSync(join(directory, file), 0o444)
  chmodSync(directory, 0o777)
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(65_534) // root may write everywhere
  try {
    const { spool } = await openTestSpool(t, { directory })
    const { seen, told } = startTestWorker(t, { spool })
    const added = await spool.add([changeItem('x')])
    assert.match(
      added.kind === 'unavailable' ? added.reason : added.kind,
      /read-only|cannot be opened|permission denied/,
    )
    await until(() => told.join().includes('problem'), 'it is reported')
    await until(() => seen.length > 0, 'what can be read is delivered')
    await spool.close()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
})

test('flush ends with 75 as long as a damaged spool is there, and doctor and relay report it too', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, 'spool.db'), 'not a database\n'.repeat(1000))
  const env = {
    ...CODESHIP_PRO,
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_EVENTS_URL: simulator.url,
    PAGERDUTY_SPOOL: directory,
    PAGERDUTY_DEADLINE: '60s',
  }
  const before = await runProgram(['doctor'], { env })
  assert.equal(before.code, 78)
  assert.match(before.stdout, /FAIL spool: the spool is damaged\n +-> recover its events/)
  const relay = await startRelay(env)
  t.after(() => relay.stop('SIGKILL'))
  assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody())).status, 202)
  const asked = await runProgram(['flush'], {
    env: { PAGERDUTY_TOKEN: KEY, PAGERDUTY_RELAY_URL: relay.url, PAGERDUTY_DEADLINE: '60s' },
  })
  assert.equal(asked.code, 75)
  assert.match(
    asked.stderr,
    /relay: 0 pending, 1 delivered[\s\S]*error: spool\.db\.damaged-\w+ is a damaged spool/,
  )
  await relay.stop('SIGTERM')
  assert.match(relay.log(), /the spool is damaged: it was set aside as .*spool\.db\.damaged-/)

  const flush = await runProgram(['flush', '--json'], { env })
  assert.equal(flush.code, 75)
  assert.match(flush.stderr, /not everything is delivered: spool: 0 pending, 1 delivered, 0 dead/)
  assert.match(flush.stderr, /error: spool\.db\.damaged-\w+ is a damaged spool that was set aside/)
  const {
    set_aside: [aside = ''],
  } = JSON.parse(flush.stdout) as { set_aside: string[] }
  assert.match(
    (await runProgram(['doctor'], { env })).stdout,
    /warn +spool: spool\.db\.damaged-\w+ is a damaged/,
  )
  rmSync(join(directory, aside))
  assert.equal((await runProgram(['flush'], { env })).code, 0)
})

test('an event that was corrupted on disk is neither sent nor retried; flush names it and ends with 65', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const { spool, directory } = await openTestSpool(t)
  await spool.add([alertItem('trigger', 'altered'), alertItem('trigger', 'intact')])
  await spool.close()
  database(
    join(directory, 'spool.db'),
    `UPDATE pending SET body = replace(body, 'trigger of altered', 'trigger of altared')`,
  )
  const env = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url, PAGERDUTY_SPOOL: directory }
  const { code, stderr } = await runProgram(['flush'], { env })
  assert.equal(code, 65)
  assert.match(stderr, /error: dead: trigger of altered: checksum mismatch/)
  assert.deepEqual(
    simulator.alerts.map(({ dedupKey }) => dedupKey),
    ['intact'],
  )
  const { spool: later } = await openTestSpool(t, { directory })
  const { told, seen } = startTestWorker(t, { spool: later })
  assert.equal((await later.retry({})).retried, 1)
  await until(() => told.includes('dead damaged'), 'it is dead again')
  assert.deepEqual(seen, [])
})
