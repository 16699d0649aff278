import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, describe, test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { KEY } from '../../support/program.ts'
import { alertBody, post, startRelay } from '../../support/relay.ts'

const simulator = await startSimulator()
const relay = await startRelay({ PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url })
after(async () => {
  await relay.stop()
  await simulator.close()
})

/** Sends bytes as they are, and reads until the relay closes the connection. */
async function speak(bytes: string): Promise<{ head: string; problem: Record<string, unknown> }> {
  const { hostname, port } = new URL(relay.url)
  const socket = connect(Number(port), hostname).setEncoding('utf8')
  socket.on('error', () => undefined) // what is still being sent when the answer is there
  socket.write(bytes)
  let answer = ''
  for await (const text of socket) answer += String(text)
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  return { head, problem: JSON.parse(body) as Record<string, unknown> }
}

const HEAD = 'POST /v2/enqueue HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n'
const JSON_HEAD = `${HEAD}content-type: application/json\r\n`
const TOO_LONG = 'x'.repeat(20_000)

const UNREADABLE: Readonly<Record<string, [bytes: string, status: number, detail: RegExp]>> = {
  'what is no HTTP': ['hello\r\n\r\n', 400, /not an HTTP\/1.1 request/],
  TLS: ['\u0016\u0003\u0001\u0002\0\u0001\0\u0001', 400, /not an HTTP\/1.1 request/],
  'a header without a colon': [`${HEAD}oops\r\n\r\n`, 400, /not an HTTP\/1.1 request/],
  'a length that is not a number': [
    `${JSON_HEAD}content-length: many\r\n\r\n`,
    400,
    /not an HTTP\/1.1 request/,
  ],
  'two lengths that differ': [
    `${JSON_HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`,
    400,
    /not an HTTP\/1.1 request/,
  ],
  'a length and chunks at once': [
    `${JSON_HEAD}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
    /not an HTTP\/1.1 request/,
  ],
  'a flood of headers': [`${HEAD}x-flood: ${TOO_LONG}\r\n\r\n`, 431, /more than 16384 bytes/],
  'an endless path': [`GET /${TOO_LONG} HTTP/1.1\r\nhost: relay\r\n\r\n`, 431, /more than 16384 bytes/],
  'headers that do not end': [HEAD, 408, /within 15 s, its headers within 10 s/],
  'a body that does not end': [`${JSON_HEAD}content-length: 100\r\n\r\n{`, 408, /within 15 s/],
  'a path that cannot be decoded': [
    'GET /%zz HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n',
    400,
    /path cannot be decoded/,
  ],
  'an encoded body': [
    `${JSON_HEAD}content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}`,
    415,
    /without Content-Encoding/,
  ],
  'a body that claims to be too long': [`${JSON_HEAD}content-length: 512001\r\n\r\n`, 413, /512000 bytes/],
  'chunks that grow too long': [
    `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n7d001\r\n${'x'.repeat(0x7d001)}\r\n0\r\n\r\n`,
    413,
    /512000 bytes/,
  ],
}

describe('what cannot be taken is answered with a problem that says why', { concurrency: 8 }, () => {
  for (const [what, [bytes, status, detail]] of Object.entries(UNREADABLE)) {
    test(`${what}: ${status}`, async () => {
      const { head, problem } = await speak(bytes)
      assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `))
      assert.match(head, /content-type: application\/problem\+json/i)
      assert.equal(problem['status'], status)
      assert.match(String(problem['detail']), detail)
    })
  }
})

test('after all that, an event is taken as ever, and nothing was sent but it', async () => {
  assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody())).status, 202)
  assert.equal(simulator.requests.length, 1)
})
