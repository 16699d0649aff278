import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { after, beforeEach, test } from 'node:test'
import { RELAY_LIMITS } from '../../../src/relay/limits.ts'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { KEY } from '../../support/program.ts'
import { until } from '../../support/until.ts'
import { alertBody, post, startRelay } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'
import { temporaryDirectory } from '../../support/spool.ts'

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => simulator.reset())

const ENV = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url, PAGERDUTY_TIMEOUT: '5s' }
/** Events that may be in flight at a time without a spool. */
const IN_FLIGHT = 256
const MORE = 44
/** Nearly as large as a body may be. */
const LARGE = alertBody({ client: 'x'.repeat(500_000) })
const HANG = { kind: 'hang', after: 'request' } as const

test('while PagerDuty hangs, a limited number wait, the rest are refused at once, and all works afterwards', async (t) => {
  const relay = await startRelay(ENV)
  t.after(() => relay.stop('SIGKILL'))
  simulator.behave({ behaviour: HANG })
  const answers = await Promise.all(
    Array.from({ length: IN_FLIGHT + MORE }, () => post(`${relay.url}/v2/enqueue`, alertBody())),
  )
  const turnedAway = answers.filter(({ status }) => status === 503)
  assert.equal(turnedAway.length, MORE)
  assert.equal(answers.filter(({ status }) => status === 504).length, IN_FLIGHT)
  assert.ok(turnedAway.every(({ headers }) => Number(headers.get('retry-after')) >= 1))
  simulator.reset()
  assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody())).status, 202)
})

const status = (pid: number | undefined): string => readFileSync(`/proc/${pid}/status`, 'utf8')
const peakMiB = (pid: number | undefined): number =>
  Number(/^VmHWM:\s+(\d+) kB/m.exec(status(pid))?.[1]) / 1024

/** What a thousand callers send at once, 500 MB, is far more than the relay may hold. */
const CALLERS = 1000
const MOST_MIB = 450

test(
  'memory has a bound, whatever comes in while PagerDuty hangs',
  { skip: skipWithout('linux') },
  async (t) => {
    const relay = await startRelay({ ...ENV, PAGERDUTY_TIMEOUT: '2s' })
    t.after(() => relay.stop('SIGKILL'))
    simulator.behave({ behaviour: HANG })
    const callers = Array.from({ length: CALLERS }, () =>
      post(`${relay.url}/v2/enqueue`, LARGE).then(
        ({ status: code }) => code,
        () => 0, // closed, being one connection too many
      ),
    )
    const codes = new Set(await Promise.all(callers))
    assert.ok(codes.has(504) && codes.has(503))
    assert.ok(
      [...codes].every((code) => [0, 503, 504].includes(code)),
      [...codes].join(),
    )
    const peak = peakMiB(relay.program.child.pid)
    assert.ok(peak < MOST_MIB, `${peak} MiB`)
  },
)

/** Opens a connection to the relay; what it writes is thrown away. */
async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined).resume()
  await once(socket, 'connect')
  return socket
}

test('what requests have held is free again when they are over, however they end', async (t) => {
  const relay = await startRelay(ENV)
  t.after(() => relay.stop('SIGKILL'))
  const atATime = RELAY_LIMITS.heldBytes / RELAY_LIMITS.bodyBytes
  const head = `POST /v2/enqueue HTTP/1.1\r\nhost: ${new URL(relay.url).host}\r\ncontent-type: application/json\r\n`
  const SPACES = ' '.repeat(RELAY_LIMITS.bodyBytes - 1)
  const BODIES = [
    `content-length: ${RELAY_LIMITS.bodyBytes}\r\n\r\n${SPACES}`,
    `transfer-encoding: chunked\r\n\r\n${SPACES.length.toString(16)}\r\n${SPACES}\r\n`,
  ]
  /** Sends a body without its end. A socket that the relay refuses or closes is no longer among those that are held. */
  const held = new Set<Socket>()
  const occupy = async (body: string): Promise<void> => {
    const socket = await open(relay.url)
    held.add(socket)
    socket.once('close', () => held.delete(socket))
    const [headers, beginning] = body.split('\r\n\r\n')
    socket.write(`${head}${headers}\r\n\r\n${beginning}`)
  }
  const statusOf = async (): Promise<number> => (await post(`${relay.url}/v2/enqueue`, alertBody())).status
  for (const body of [...BODIES, ...BODIES]) {
    const isFull = async (): Promise<boolean> => {
      // A post that asks takes the place of a body's last bytes now and then: that body is refused, and another one sent.
      while (held.size < atATime) await occupy(body)
      return (await statusOf()) === 503
    }
    await until(isFull, 'the relay is full')
    for (const socket of held) socket.destroy() // in the middle of their bodies
    held.clear()
    await until(async () => (await statusOf()) === 202, 'there is room again')
  }
  for (let number = 0; number < 2 * atATime; number++)
    assert.equal((await post(`${relay.url}/v2/enqueue`, SPACES)).status, 400)
  assert.equal((await post(`${relay.url}/v2/enqueue`, LARGE)).status, 202)
})

test('requests that announce large bodies and send little keep nobody out', async (t) => {
  const relay = await startRelay(ENV)
  t.after(() => relay.stop('SIGKILL'))
  const BODIES = [
    `content-length: ${RELAY_LIMITS.bodyBytes}\r\n\r\n`,
    `transfer-encoding: chunked\r\n\r\n5a\r\n${' '.repeat(90)}\r\n`,
    'transfer-encoding: chunked\r\n\r\n',
  ]
  for (let number = 0; number < 300; number++) {
    const socket = await open(relay.url)
    t.after(() => socket.destroy())
    const continued = once(socket, 'data') as Promise<[Buffer]>
    const [headers, beginning] = (BODIES[number % BODIES.length] ?? '').split('\r\n\r\n')
    socket.write(
      `POST /v2/enqueue HTTP/1.1\r\nhost: ${new URL(relay.url).host}\r\ncontent-type: application/json\r\n` +
        `expect: 100-continue\r\n${headers}\r\n\r\n`,
    )
    assert.match(String((await continued)[0]), /^HTTP\/1\.1 100 /)
    socket.write(beginning ?? '')
  }
  assert.equal((await post(`${relay.url}/v2/enqueue`, LARGE)).status, 202)
  assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody())).status, 202)
})

test('however many requests are in progress, probes are answered, and others are refused', async (t) => {
  const relay = await startRelay({ ...ENV, PAGERDUTY_SPOOL: temporaryDirectory(t) })
  t.after(() => relay.stop('SIGKILL'))
  simulator.behave({ behaviour: HANG })
  const MORE_REQUESTS = 200
  const body = JSON.stringify(alertBody())
  const request =
    `POST /v2/enqueue HTTP/1.1\r\nhost: ${new URL(relay.url).host}\r\ncontent-type: application/json\r\n` +
    `prefer: wait=60\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  const sockets: Socket[] = []
  t.after(() => sockets.forEach((socket) => socket.destroy()))
  const refusals: string[] = []
  let closed = 0
  for (let number = 0; number < RELAY_LIMITS.requests + MORE_REQUESTS; number++) {
    const socket = await open(relay.url)
    socket.on('data', (data) => refusals.push(String(data))).once('close', () => (closed += 1))
    socket.write(request)
    sockets.push(socket)
  }
  await until(() => closed === MORE_REQUESTS, 'those over the limit are turned away')
  assert.equal(refusals.length, MORE_REQUESTS)
  assert.ok(refusals.every((answer) => /^HTTP\/1\.1 503 [^]*\r\nretry-after: 1\r\n/i.test(answer)))
  for (let number = 0; number < 2 * MORE_REQUESTS; number++) sockets.push(await open(relay.url)) // idle ones as well
  for (const probe of ['/healthz', '/readyz'])
    assert.equal((await fetch(`${relay.url}${probe}`)).status, 200, probe)
  assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody())).status, 503)
  for (const socket of sockets) socket.destroy()
  await until(
    async () => (await post(`${relay.url}/v2/enqueue`, alertBody())).status === 202,
    'posts are taken again',
  )
})

test('pipelined requests count one by one, and a connection with one of them is not idle', async (t) => {
  const relay = await startRelay(ENV)
  t.after(() => relay.stop('SIGKILL'))
  const { host } = new URL(relay.url)
  const busy = await open(relay.url)
  t.after(() => busy.destroy())
  let answers = ''
  busy.on('data', (data) => (answers += String(data)))
  busy.write(
    `GET /healthz HTTP/1.1\r\nhost: ${host}\r\n\r\n` +
      `POST /v2/enqueue HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{`,
  )
  await until(() => answers !== '', 'the first is answered')
  const sockets: Socket[] = []
  t.after(() => sockets.forEach((socket) => socket.destroy()))
  let closed = 0
  for (let number = 0; number < RELAY_LIMITS.connections; number++) {
    const socket = await open(relay.url)
    socket.once('close', () => (closed += 1))
    sockets.push(socket)
  }
  await until(() => closed > 0, 'an idle one is closed')
  busy.write('}')
  await until(() => answers.includes('HTTP/1.1 400 '), 'the second is answered')
})

test('beyond the limit of connections the oldest without a request are closed, and the others are served', async (t) => {
  const relay = await startRelay(ENV)
  t.after(() => relay.stop('SIGKILL'))
  const MORE_CONNECTIONS = 20
  const sockets: Socket[] = []
  t.after(() => sockets.forEach((socket) => socket.destroy()))
  let closed = 0
  for (let number = 0; number < RELAY_LIMITS.connections + MORE_CONNECTIONS; number++) {
    const socket = await open(relay.url)
    socket.once('close', () => (closed += 1))
    sockets.push(socket)
  }
  await until(() => closed >= MORE_CONNECTIONS, 'those over the limit are closed')
  const last = sockets.at(-1)
  const answered = once(last!, 'data') as Promise<[Buffer]>
  last!.write(`GET /healthz HTTP/1.1\r\nhost: ${new URL(relay.url).host}\r\n\r\n`)
  assert.match(String((await answered)[0]), /^HTTP\/1\.1 200 /)
  assert.equal(closed, MORE_CONNECTIONS)
})
