import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { after, beforeEach, test } from 'node:test'
import { RELAY_LIMITS } from '../../../src/relay/limits.ts'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { KEY } from '../../support/program.ts'
import { until } from '../../support/worker.ts'
import { alertBody, post, startRelay } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'

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

test('where PagerDuty hangs, so many wait, the next are turned away at once, and all is well after it', async (t) => {
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
const MOST_MIB = 400

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
  const BODIES = [
    `content-length: ${RELAY_LIMITS.bodyBytes}\r\n\r\n{`,
    'transfer-encoding: chunked\r\n\r\n1\r\n{\r\n',
  ]
  // Each waits for the relay's 100, so that nothing else comes between them.
  const occupy = async (body: string): Promise<Socket> => {
    const socket = await open(relay.url)
    const continued = once(socket, 'data') as Promise<[Buffer]>
    const [headers, beginning] = body.split('\r\n\r\n')
    socket.write(`${head}${headers}\r\nexpect: 100-continue\r\n\r\n`)
    assert.match(String((await continued)[0]), /^HTTP\/1\.1 100 /)
    socket.write(beginning ?? '')
    return socket
  }
  const statusOf = async (): Promise<number> => (await post(`${relay.url}/v2/enqueue`, alertBody())).status
  for (const body of [...BODIES, ...BODIES]) {
    const sockets = await Promise.all(Array.from({ length: atATime }, () => occupy(body)))
    await until(async () => (await statusOf()) === 503, 'the relay is full')
    for (const socket of sockets) socket.destroy() // in the middle of their bodies
    await until(async () => (await statusOf()) === 202, 'there is room again')
  }
  // A body in chunks counts as the largest one until it is there.
  for (let number = 0; number < 2 * atATime; number++) {
    const socket = await open(relay.url)
    const answered = once(socket, 'data') as Promise<[Buffer]>
    socket.write(`${head}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`)
    assert.match(String((await answered)[0]), /^HTTP\/1\.1 400 /)
    socket.destroy()
  }
  assert.equal(await statusOf(), 202)
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
