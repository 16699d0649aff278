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

async function answerTo({ url }: RunningRelay, request: string): Promise<string> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true })
  socket.end(request)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}

test('a caller that closes its side after the request is answered, and then the connection ends', async (t) => {
  const relay = await start(t)
  const body = JSON.stringify(alertBody())
  const head = `host: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n`
  assert.match(await answerTo(relay, `POST /v2/enqueue HTTP/1.1\r\n${head}\r\n${body}`), /^HTTP\/1\.1 202 /)
  assert.match(await answerTo(relay, `GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n`), /^HTTP\/1\.1 200 /)
  await answerTo(relay, `GET /events/live HTTP/1.1\r\nhost: a\r\n\r\n`)
})

test('a request is answered though what follows it cannot be read', async (t) => {
  const relay = await start(t)
  const body = JSON.stringify(alertBody())
  const head = `host: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n`
  const answer = await answerTo(relay, `POST /v2/enqueue HTTP/1.1\r\n${head}\r\n${body}x`)
  assert.match(answer, /^HTTP\/1\.1 202 /)
})
