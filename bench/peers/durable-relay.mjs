// A bare durable relay, the least that Node can do: Fastify, and SQLite with one table and no index. It answers when the
// event is synced to disk; all events of one turn of the event loop share a transaction. Nothing is checked, ordered or
// retried. If there is somebody to pass events on to, undici does so afterwards, and then the events are deleted.
// Prints its address. usage: durable-relay.mjs FOLDER [UPSTREAM_URL]
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fastify } from 'fastify'

const [folder, origin] = process.argv.slice(2)
const MAX_IN_FLIGHT = 256

mkdirSync(folder, { recursive: true })
const db = new DatabaseSync(join(folder, 'bare.db'))
db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
db.exec('CREATE TABLE pending (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT')
const insert = db.prepare('INSERT INTO pending (id, body) VALUES (?, ?)')
const remove = db.prepare('DELETE FROM pending WHERE id = ?')
const readNext = db.prepare('SELECT id, body FROM pending WHERE id > ? ORDER BY id LIMIT ? + 0')

let jobs = []
let pending = 0
let inFlight = 0
let newestId = 0
let lastId = 0

function write(statement, ...values) {
  return new Promise((resolve) => {
    if (jobs.length === 0) setImmediate(commit)
    jobs.push({ statement, values, resolve })
  })
}

function commit() {
  const done = jobs
  jobs = []
  db.exec('BEGIN IMMEDIATE')
  for (const { statement, values } of done) statement.run(...values)
  db.exec('COMMIT')
  for (const { resolve } of done) resolve()
  if (forward !== undefined) setImmediate(forwardNext)
}

const forward = origin === undefined ? undefined : await createForward()

async function createForward() {
  const { Agent } = await import('undici')
  const agent = new Agent()
  return async ({ id, body }) => {
    const { body: answer } = await agent.request({
      origin,
      path: '/v2/enqueue',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    await answer.text()
    await write(remove, id)
    pending--
    inFlight--
  }
}

function forwardNext() {
  if (inFlight === MAX_IN_FLIGHT || pending === inFlight) return
  for (const event of readNext.all(lastId, MAX_IN_FLIGHT - inFlight)) {
    lastId = event.id
    inFlight++
    void forward(event)
  }
}

const app = fastify()
app.post('/v2/enqueue', async (incoming, reply) => {
  await write(insert, ++newestId, JSON.stringify(incoming.body)) // SQLite’s own ids begin again when the table is empty
  pending++
  return reply.code(202).send({ status: 'success' })
})
app.get('/metrics', async () => `pagerduty_alert_spool_events{status="pending"} ${pending}\n`)
await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`http://127.0.0.1:${app.server.address().port}\n`)
