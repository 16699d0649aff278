import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { KEY } from '../../support/program.ts'
import { alertBody, post, startRelay, type RunningRelay } from '../../support/relay.ts'

async function start(t: TestContext, options: { readonly maxFiles?: number } = {}): Promise<RunningRelay> {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const relay = await startRelay({ PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url }, options)
  t.after(() => relay.stop('SIGKILL'))
  return relay
}

async function open(t: TestContext, { url }: RunningRelay, count: number, text = ''): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let number = 0; number < count; number++) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => undefined)
    t.after(() => socket.destroy())
    await once(socket, 'connect')
    if (text !== '') socket.write(text)
    sockets.push(socket)
  }
  return sockets
}

test('connections without a request keep neither probes nor posts out, however many there are', async (t) => {
  const relay = await start(t)
  await open(t, relay, 1200)
  assert.equal((await fetch(`${relay.url}/healthz`)).status, 200)
  assert.equal((await fetch(`${relay.url}/readyz`)).status, 200)
  assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody())).status, 202)
})

test(
  'nor do they where the process may open few files',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const relay = await start(t, { maxFiles: 200 })
    await open(t, relay, 300)
    assert.equal((await fetch(`${relay.url}/readyz`)).status, 200)
    assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody())).status, 202)
  },
)
