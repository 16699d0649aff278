import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createServer } from 'node:tls'
import { promisify } from 'node:util'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { CA_FILE, certificate } from '../../support/certificates.ts'
import { listen } from '../../support/listen.ts'
import { KEY } from '../../support/program.ts'
import { startRelay } from '../../support/relay.ts'

/** What ends TLS in front of the relay, as nginx or a service mesh does. Returns its `host:port`. */
async function startTlsFront(t: TestContext, url: string): Promise<string> {
  const server = createServer(certificate('good'), (socket) => {
    const behind = connect(Number(new URL(url).port), '127.0.0.1')
    for (const end of [socket, behind]) end.on('error', () => undefined)
    socket.on('close', () => behind.destroy())
    socket.pipe(behind).pipe(socket)
  })
  const { port, close } = await listen(server)
  t.after(close)
  return `127.0.0.1:${port}`
}

/** A program of somebody who uses pdjs: it triggers, resolves and reports a change, and prints the answers. */
const PROGRAM = `
const { event, change } = require('@pagerduty/pdjs')
const server = process.env.SERVER
const routing_key = 'relay'
const payload = { summary: 'Disk is full', source: 'db-1', severity: 'critical' }
const main = async () => {
  const opened = await event({ server, data: { routing_key, event_action: 'trigger', payload } })
  const { dedup_key } = opened.data
  const closed = await event({ server, data: { routing_key, event_action: 'resolve', dedup_key } })
  const told = await change({ server, data: { routing_key, payload: { summary: 'Deployed', source: 'ci' } } })
  console.log(JSON.stringify([opened, closed, told].map(({ status, data }) => [status, data.status])))
}
main()
`

test('pdjs, which always speaks https, sends through a relay behind TLS', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const relay = await startRelay({ PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url })
  t.after(() => relay.stop())
  const server = await startTlsFront(t, relay.url)
  const env = { SERVER: server, NODE_EXTRA_CA_CERTS: CA_FILE }
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', PROGRAM], { env })
  const accepted = [202, 'success']
  assert.deepEqual(JSON.parse(stdout), [accepted, accepted, accepted])
  assert.deepEqual([simulator.alerts[0]?.status, simulator.alerts[0]?.routingKey], ['resolved', KEY])
  assert.equal(simulator.changes.length, 1)
})
