import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { CA_FILE, certificate } from '../../support/certificates.ts'
import { listen } from '../../support/listen.ts'
import { CODESHIP_PRO, KEY, startProgram, type Run } from '../../support/program.ts'
import { temporaryDirectory } from '../../support/spool.ts'
import { skipWithout } from '../../support/required.ts'
import { until } from '../../support/until.ts'

const skip = skipWithout('localhost')

/** A server that accepts events, and what it saw. */
interface Watched {
  readonly server: Server
  readonly url: string
  /** Connections that finished TLS's handshake. */
  readonly connections: Socket[]
  /** The connection of each request. */
  readonly requests: Socket[]
}

async function startServer(t: TestContext, spoil?: RequestListener): Promise<Watched> {
  const connections: Socket[] = []
  const requests: Socket[] = []
  const server = createServer({ ...certificate('good'), keepAliveTimeout: 0 }, (request, response) => {
    requests.push(request.socket)
    request.resume().on('end', () => {
      if (spoil !== undefined) spoil(request, response)
      if (!response.writableEnded) response.writeHead(202).end('{}')
    })
  })
  server.on('secureConnection', (socket: Socket) => connections.push(socket))
  server.on('tlsClientError', () => undefined)
  const { port, close } = await listen(server)
  t.after(close)
  return { server, connections, requests, url: `https://localhost:${port}` }
}

/** Watches a command that runs until it is told to end. */
function watchCommand(t: TestContext, url: string, ...options: string[]): { end: () => Promise<Run> } {
  const file = join(temporaryDirectory(t), 'end')
  const script = `until [ -e '${file}' ]; do sleep 0.02; done`
  const program = startProgram(['run', ...options, '--', 'sh', '-c', script], {
    env: {
      ...CODESHIP_PRO,
      PATH: process.env['PATH'] ?? '',
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_EVENTS_URL: url,
      NODE_EXTRA_CA_CERTS: CA_FILE,
    },
  })
  t.after(() => program.child.kill('SIGKILL'))
  return {
    end: async () => {
      assert.ok(!existsSync(file))
      writeFileSync(file, '')
      return await program.ended
    },
  }
}

test(
  'a report goes over connections that were opened while the command ran, and nothing is sent before',
  { skip },
  async (t) => {
    const { url, connections, requests } = await startServer(t)
    const command = watchCommand(t, url)
    await until(() => connections.length === 2, 'there is a connection for each event')
    assert.equal(requests.length, 0)
    const { code, stderr } = await command.end()
    assert.equal(code, 0, stderr)
    assert.deepEqual(new Set(requests), new Set(connections))
    assert.equal(requests.length, 2)
    assert.equal(connections.length, 2)
  },
)

test('if the server has closed them, the report opens its own', { skip }, async (t) => {
  const { url, connections, requests } = await startServer(t)
  const command = watchCommand(t, url)
  await until(() => connections.length === 2, 'they are open')
  for (const connection of connections.splice(0)) connection.end('HTTP/1.1 408 Request Timeout\r\n\r\n')
  const { code, stderr } = await command.end()
  assert.equal(code, 0, stderr)
  assert.equal(requests.length, 2)
  assert.doesNotMatch(stderr, /attempt/)
})

test(
  'if the server closes one just when it is used, the event goes over another at once',
  { skip },
  async (t) => {
    let left = 2
    const { url, connections, requests } = await startServer(t, (request) => {
      if (left-- > 0) request.socket.destroy()
    })
    const command = watchCommand(t, url)
    await until(() => connections.length === 2, 'they are open')
    const { code, stderr } = await command.end()
    assert.equal(code, 0, stderr)
    assert.equal(requests.length, 4)
    assert.doesNotMatch(stderr, /attempt/)
  },
)

test('a dry run connects to nothing', async (t) => {
  const { server, url } = await startServer(t)
  let connected = 0
  server.on('connection', () => (connected += 1))
  const command = watchCommand(t, url, '--dry-run')
  await new Promise((resolve) => setTimeout(resolve, 300))
  const { code, stdout } = await command.end()
  assert.equal(code, 0)
  assert.equal(stdout.trim().split('\n').length, 2)
  assert.equal(connected, 0)
})
