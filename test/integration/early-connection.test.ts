import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openEarly } from '../../src/delivery/preconnect.ts'
import { createTransport } from '../../src/delivery/transport.ts'
import { LOCALHOST_TLS } from '../../tools/simulator/localhost-tls.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY, runProgram } from '../support/program.ts'
import { skipWithout } from '../support/required.ts'

const simulator = await startSimulator({ tls: LOCALHOST_TLS })
after(() => simulator.close())
beforeEach(() => simulator.reset())

const scratch = mkdtempSync(join(tmpdir(), 'early-'))
after(() => rmSync(scratch, { recursive: true }))

const CA_FILE = fileURLToPath(new URL('../../tools/simulator/localhost-cert.pem', import.meta.url))
const ENV = {
  ...CODESHIP_PRO,
  PAGERDUTY_TOKEN: KEY,
  PAGERDUTY_EVENTS_URL: simulator.url,
  NODE_EXTRA_CA_CERTS: CA_FILE,
}
const NO_SIGNAL = new AbortController().signal

/** A server that only counts connections and ends them. */
async function startCounter(): Promise<{ port: number; seen: Socket[]; close: () => void }> {
  const seen: Socket[] = []
  const server = createServer((socket) => {
    seen.push(socket)
    socket.on('error', () => undefined).resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, seen, close: () => server.close() }
}

function way(url: string, timeoutMs = 5000): Parameters<typeof openEarly>[0] {
  return { eventsUrl: url, proxy: {}, timeoutMs }
}

test('an event goes over the connection that was opened early, and over no other', async () => {
  assert.equal((await runProgram(['success'], { env: ENV })).code, 0)
  assert.equal(simulator.requests.length, 2)
  assert.equal(new Set(simulator.requests.map(({ remotePort }) => remotePort)).size, 2)
})

test('connections are being opened before anything can be sent over them', async () => {
  const counter = await startCounter()
  const early = openEarly(way(`https://127.0.0.1:${counter.port}`), 2)
  await Promise.all([early?.take(), early?.take()])
  assert.equal(early?.take(), undefined)
  while (counter.seen.length < 2) await new Promise(setImmediate)
  early?.close()
  counter.close()
})

for (const host of ['127.0.0.1', 'localhost']) {
  test(
    `the first one to ${host} is being opened without waiting for a timer`,
    { skip: host === 'localhost' && skipWithout(host) },
    async (t) => {
      t.mock.timers.enable({ apis: ['setTimeout'] })
      const counter = await startCounter()
      const early = openEarly(way(`https://${host}:${counter.port}`), 1)
      t.after(() => {
        early?.close()
        counter.close()
      })
      let isUnderWay = false
      void early?.started.then(() => (isUnderWay = true))
      await early?.take()
      await new Promise(setImmediate)
      assert.ok(isUnderWay)
    },
  )
}

test(
  'what is refused is neither connected to nor looked up',
  { skip: skipWithout('localhost') },
  async () => {
    const looked = join(scratch, 'looked-up')
    const witness = join(scratch, 'witness.cjs')
    writeFileSync(
      witness,
      `const { lookup } = require('node:dns')
    require('node:dns').lookup = (...args) => {
      require('node:fs').appendFileSync(${JSON.stringify(looked)}, args[0])
      return lookup(...args)
    }`,
    )
    const url = simulator.url.replace('127.0.0.1', 'localhost')
    const env = { ...ENV, PAGERDUTY_EVENTS_URL: url, NODE_OPTIONS: `--require ${JSON.stringify(witness)}` }
    const { code } = await runProgram(['success'], { env })
    assert.equal(code, 0)
    assert.match(readFileSync(looked, 'utf8'), /localhost/)
    rmSync(looked)
    const outsideOfCi = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: url }
    const refused = await runProgram(['acknowledge'], {
      env: { ...outsideOfCi, NODE_OPTIONS: env.NODE_OPTIONS },
    })
    assert.equal(refused.code, 64, refused.stderr)
    const noChanges = await runProgram(['success'], {
      env: { ...env, PAGERDUTY_TOKEN: 'R0123456789ABCDEF0123456789ABCDE' },
    })
    assert.equal(noChanges.code, 78)
    assert.match(noChanges.stderr, /accepts only alerts/)
    assert.equal(existsSync(looked), false)
  },
)

test('there are none for plain http and for a proxy', async () => {
  assert.equal(openEarly(way('http://127.0.0.1:9'), 1), undefined)
  const proxy = { httpsProxy: 'http://127.0.0.1:9' }
  assert.equal(openEarly({ ...way('https://127.0.0.1:9'), proxy }, 1), undefined)
})

test('one that cannot be opened fails the first attempt, and the next opens its own', async () => {
  const counter = await startCounter()
  counter.close()
  const early = openEarly(way(`https://127.0.0.1:${counter.port}`), 1)
  const transport = createTransport({ proxy: {}, baseUrl: simulator.url, early })
  const request = { method: 'POST', url: `${simulator.url}/v2/enqueue`, headers: {} } as const
  const first = await transport.exchange(request, 5000, NO_SIGNAL)
  const second = await transport.exchange(request, 5000, NO_SIGNAL)
  await transport.close()
  assert.match(first.kind === 'failed' ? first.outcome.reason : '', /refused/)
  // Nothing here trusts the simulator's certificate, so that far is as far as it gets.
  assert.match(second.kind === 'failed' ? second.outcome.reason : '', /certificate/)
})

test('one that hangs is given up after the time for one attempt', async () => {
  const early = openEarly(way('https://name.invalid', 100), 1, () => undefined)
  await assert.rejects(early?.take() ?? Promise.resolve(), { code: 'ETIMEDOUT' })
})

test('what was opened and not used does not outlive the transport', async () => {
  const counter = await startCounter()
  const early = openEarly(way(`https://127.0.0.1:${counter.port}`), 2)
  const transport = createTransport({ proxy: {}, baseUrl: `https://127.0.0.1:${counter.port}`, early })
  while (counter.seen.length < 2) await new Promise(setImmediate)
  const ended = Promise.all(counter.seen.map((socket) => once(socket, 'close')))
  await transport.close()
  await ended
  counter.close()
})
