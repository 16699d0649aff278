import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test, type TestContext } from 'node:test'
import type { Event } from '../../../src/core/event.ts'
import { openSpool } from '../../../src/spool/open.ts'
import type { SpoolItem } from '../../../src/spool/spool.ts'
import { createChance } from '../../chaos/chance.ts'
import { until } from '../../support/until.ts'
import { startTestWorker } from '../../support/worker.ts'
import { changeItem, DEFAULT_KEY, ownKey } from '../../support/spool.ts'

/** As SQLite writes them; a frame of its log is a page and its head. */
const PAGE_BYTES = 4096
const EVENTS = 40
const base = mkdtempSync(join(tmpdir(), 'damage-'))
after(() => rmSync(base, { recursive: true }))

const chance = createChance(1)
const below = (limit: number): number => Math.floor(chance.number() * limit)

/** What a failing disk does to a page of a file, given where it begins. */
const DAMAGES: Readonly<Record<string, (bytes: Buffer, startsAt: number) => Buffer>> = {
  'with a bit flipped': (bytes, startsAt) => {
    const at = Math.min(startsAt + below(PAGE_BYTES), bytes.length - 1)
    return bytes.fill((bytes[at] ?? 0) ^ (1 << below(8)), at, at + 1)
  },
  'with another byte in its head': (bytes, startsAt) => {
    // Bytes 60 to 63 of the file are the version of its tables: such a store is another version's to deliver.
    const at = Math.min(startsAt + below(60), bytes.length - 1)
    return bytes.fill(below(256), at, at + 1)
  },
  'full of zeros': (bytes, startsAt) =>
    bytes.fill(0, startsAt, Math.min(startsAt + PAGE_BYTES, bytes.length)),
  'that is a copy of another one': (bytes, startsAt) => {
    const from = below(Math.floor(bytes.length / PAGE_BYTES)) * PAGE_BYTES
    bytes.copy(bytes, startsAt, from, from + PAGE_BYTES)
    return bytes
  },
  'that is gone, and all after it': (bytes, startsAt) => bytes.subarray(0, startsAt + below(PAGE_BYTES)),
}

/** Events of two kinds, several keys and alerts, and some with pages of their own. */
function numbered(number: number): SpoolItem {
  const details = { output: `${number} `.repeat(number % 5 === 0 ? 3000 : 100) }
  const payload = { summary: `event ${number}`, source: 'test', custom_details: details }
  const alert = { event_action: 'trigger', dedup_key: `alert-${number % 6}` } as const
  const event: Event =
    number % 4 === 0
      ? { kind: 'change', body: { payload } }
      : { kind: 'alert', body: { ...alert, payload: { ...payload, severity: 'error' } } }
  return { event, key: number % 3 === 0 ? ownKey(number % 4) : DEFAULT_KEY }
}

/** Request bodies as they are to be sent. */
const EXPECTED: readonly string[] = Array.from({ length: EVENTS }, (_, number) => {
  const { event, key } = numbered(number)
  return JSON.stringify({ ...(key.kind === 'own' && { routing_key: key.key.reveal() }), ...event.body })
})

/** Makes a spool whose process was killed, with the log that SQLite leaves then, and one that was closed. */
async function makeSpools(): Promise<{ killed: string; closed: string }> {
  const [open, killed, closed] = ['open', 'killed', 'closed'].map((name) => join(base, name)) as [
    string,
    string,
    string,
  ]
  const spool = await openSpool({ directory: open, limit: EVENTS, onWarning: assert.fail })
  for (let number = 0; number < EVENTS; number++) {
    await spool.add([numbered(number)])
    if (number === EVENTS / 2) checkpoint(open)
  }
  cpSync(open, killed, { recursive: true })
  await spool.close()
  cpSync(open, closed, { recursive: true })
  return { killed, closed }
}

function checkpoint(directory: string): void {
  const db = new DatabaseSync(join(directory, 'spool.db'))
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
}

interface Found {
  readonly sent: readonly string[]
  /** Warnings, and the state of events that were not sent. */
  readonly told: string
}

/** Delivers what a copy of a spool holds after `damage` was done to one of its files, and one more event. */
async function deliverDamaged(
  t: TestContext,
  original: string,
  file: string,
  damage: (bytes: Buffer) => Buffer,
): Promise<Found> {
  const directory = mkdtempSync(join(base, 'copy-'))
  cpSync(original, directory, { recursive: true })
  writeFileSync(join(directory, file), damage(readFileSync(join(directory, file))))
  const warnings: string[] = []
  const spool = await openSpool({ directory, limit: 1000, onWarning: (message) => warnings.push(message) })
  const { worker, seen, told } = startTestWorker(t, { spool })
  const isDone = (): boolean => spool.counts().pending === 0
  await until(isDone, 'nothing is pending')
  const sent = seen.map(({ body }) => body)
  const added = await spool.add([changeItem('after')])
  await until(isDone, 'it works again')
  await worker.stop(0)
  await spool.close()
  rmSync(directory, { recursive: true })
  assert.equal(added.kind, 'added', 'reason' in added ? added.reason : '')
  assert.equal(seen.at(-1)?.what, 'after')
  return { sent, told: [...warnings, ...told.filter((line) => line !== 'delivered')].join() }
}

const { killed, closed } = await makeSpools()
const FILES = [
  { name: 'the store', directory: closed, file: 'spool.db', every: 1 },
  { name: 'the store beside its log', directory: killed, file: 'spool.db', every: 2 },
  { name: 'the log', directory: killed, file: 'spool.db-wal', every: 2 },
]

for (const { name, directory, file, every } of FILES) {
  for (const [what, damage] of Object.entries(DAMAGES)) {
    test(`if ${name} has a page ${what}, nothing is sent that was not accepted, nothing twice, and losses are reported`, async (t) => {
      const { length } = readFileSync(join(directory, file))
      for (let startsAt = 0; startsAt < length; startsAt += every * PAGE_BYTES) {
        const { sent, told } = await deliverDamaged(t, directory, file, (bytes) => damage(bytes, startsAt))
        const where = `${file}, page at ${startsAt}: ${told}`
        assert.deepEqual(
          sent.filter((body) => !EXPECTED.includes(body)),
          [],
          where,
        )
        assert.equal(new Set(sent).size, sent.length, where)
        // To SQLite the end of a damaged log is a write that was never finished, and an empty file is a new one.
        const isUntellable = file.endsWith('-wal') || startsAt === 0
        assert.ok(sent.length === EVENTS || /set aside|dead damaged/.test(told) || isUntellable, where)
      }
    })
  }
}
