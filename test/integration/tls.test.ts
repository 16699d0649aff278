import assert from 'node:assert/strict'
import { createServer } from 'node:tls'
import { test, type TestContext } from 'node:test'
import { LOCALHOST_TLS } from '../../tools/simulator/localhost-tls.ts'
import { startSimulator, type Simulator } from '../../tools/simulator/simulator.ts'
import { CA_FILE, certificate } from '../support/certificates.ts'
import { listen } from '../support/listen.ts'
import { KEY, runProgram, type Run } from '../support/program.ts'
import { skipWithout } from '../support/required.ts'
import { PROXIED_HOST, startProxy } from '../support/proxy.ts'
import { alertBody, post, startRelay } from '../support/relay.ts'
import { REST_TOKEN } from '../support/rest.ts'
import { until } from '../support/until.ts'

async function serve(t: TestContext, tls: { key: string; cert: string }): Promise<Simulator> {
  const simulator = await startSimulator({ tls })
  t.after(() => simulator.close())
  return simulator
}

async function trigger(url: string, env: Record<string, string> = {}, deadline = '20s'): Promise<Run> {
  return await runProgram(['trigger', '--summary', 's', '--json', '--deadline', deadline], {
    env: { PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: url, NODE_EXTRA_CA_CERTS: CA_FILE, ...env },
  })
}

test('a CA in NODE_EXTRA_CA_CERTS is trusted', async (t) => {
  const simulator = await serve(t, certificate('good'))
  const { code, stderr } = await trigger(simulator.url)
  assert.equal(code, 0, stderr)
  assert.equal(simulator.alerts.length, 1)
})

test(
  'the name is checked, not the address: localhost is accepted if the certificate has it',
  { skip: skipWithout('localhost') },
  async (t) => {
    const simulator = await serve(t, certificate('good'))
    assert.equal((await trigger(`https://localhost:${simulator.port}`)).code, 0)
  },
)

const BAD: [name: string, tls: { key: string; cert: string }, env: Record<string, string>, says: RegExp][] = [
  ['has expired', certificate('expired'), {}, /has expired; check the clock.*\(CERT_HAS_EXPIRED\)/],
  [
    'is not valid yet',
    certificate('not-yet-valid'),
    {},
    /not valid yet; check the clock.*\(CERT_NOT_YET_VALID\)/,
  ],
  [
    'is for another host',
    certificate('other-host'),
    {},
    /for another name.*\(ERR_TLS_CERT_ALTNAME_INVALID\)/,
  ],
  [
    'is self-signed',
    LOCALHOST_TLS,
    {},
    /self-signed; .*NODE_EXTRA_CA_CERTS.*\(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
  ],
  [
    'has an unknown issuer',
    certificate('good'),
    { NODE_EXTRA_CA_CERTS: '' },
    /NODE_EXTRA_CA_CERTS.*\((UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)\)/,
  ],
]
for (const [name, tls, env, says] of BAD) {
  for (const isProxied of [false, true]) {
    const way = isProxied ? ', seen through a proxy' : ''
    test(`a certificate that ${name} is explained and final${way}`, async (t) => {
      const simulator = await serve(t, tls)
      const proxy = await startProxy()
      t.after(() => proxy.close())
      const proxied = isProxied ? { HTTPS_PROXY: `127.0.0.1:${proxy.port}` } : {}
      const url = isProxied ? simulator.url.replace('127.0.0.1', 'pagerduty.example') : simulator.url
      const { code, stdout, stderr } = await trigger(url, { ...env, ...proxied })
      assert.equal(code, 75)
      assert.match(stderr, says)
      const { events } = JSON.parse(stdout) as { events: { attempts: number; outcome: string }[] }
      assert.deepEqual(
        events.map(({ attempts, outcome }) => [attempts, outcome]),
        [[1, 'undelivered']],
      )
      assert.equal(proxy.seen.length, isProxied ? 1 : 0)
      assert.deepEqual(simulator.requests, [], 'nothing is sent to a server that is not trusted')
    })
  }
}

const SWITCHED_OFF = { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_EXTRA_CA_CERTS: '' }
const IGNORED = /warning: NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always verified/

/** A proxy that is reached by TLS, with a certificate of an unknown CA. Whatever it decrypts is kept. */
async function startUntrustedProxy(t: TestContext): Promise<{ url: string; heard: Buffer[] }> {
  const heard: Buffer[] = []
  const server = createServer(certificate('good'), (socket) => {
    socket.on('error', () => undefined).on('data', (chunk: Buffer) => heard.push(chunk))
  })
  server.on('tlsClientError', () => undefined)
  const { port, close } = await listen(server)
  t.after(close)
  return { url: `https://127.0.0.1:${port}`, heard }
}

/** Every kind of connection that the program makes, to a server whose certificate nobody vouches for. */
const CONNECTIONS: Readonly<Record<string, [args: string[], env: (url: string) => Record<string, string>]>> =
  {
    'an event': [
      ['trigger', '--summary', 's'],
      (url) => ({ PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: url }),
    ],
    'the REST API': [
      ['gate', '--service', 'Shop'],
      (url) => ({ PAGERDUTY_TOKEN: REST_TOKEN, PAGERDUTY_API_URL: url }),
    ],
    'a relay': [
      ['trigger', '--summary', 's'],
      (url) => ({ PAGERDUTY_RELAY_URL: url, PAGERDUTY_RELAY_TOKEN: 'a-token-of-the-relay' }),
    ],
  }
for (const [what, [args, env]] of Object.entries(CONNECTIONS)) {
  for (const isProxied of [false, true]) {
    const way = isProxied ? ' through a proxy' : ''
    test(`NODE_TLS_REJECT_UNAUTHORIZED=0 switches nothing off for ${what}${way}`, async (t) => {
      const simulator = await serve(t, certificate('good'))
      const proxy = await startProxy()
      t.after(() => proxy.close())
      const proxied = isProxied ? { HTTPS_PROXY: `127.0.0.1:${proxy.port}` } : {}
      const url = isProxied ? simulator.url.replace('127.0.0.1', 'pagerduty.example') : simulator.url
      const { code, stderr } = await runProgram([...args, '--deadline', '20s'], {
        env: { ...SWITCHED_OFF, ...env(url), ...proxied },
      })
      assert.equal(code, 75, stderr)
      assert.match(stderr, IGNORED)
      assert.doesNotMatch(stderr, /makes TLS connections/, 'Node’s own warning is wrong here')
      assert.deepEqual(simulator.requests, [])
      assert.equal(proxy.seen.length, isProxied ? 1 : 0)
    })
  }
}

for (const scheme of ['http', 'https']) {
  test(`… nor for a proxy that is reached by TLS on the way to ${scheme}`, async (t) => {
    const proxy = await startUntrustedProxy(t)
    const { code, stderr } = await trigger(`${scheme}://events.example`, {
      ...SWITCHED_OFF,
      [`${scheme.toUpperCase()}_PROXY`]: proxy.url,
    })
    assert.equal(code, 75, stderr)
    assert.match(stderr, /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY/)
    assert.deepEqual(proxy.heard, [])
  })
}

test('… nor for what a relay sends: its caller hears 502', async (t) => {
  const simulator = await serve(t, certificate('good'))
  const relay = await startRelay({
    ...SWITCHED_OFF,
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_EVENTS_URL: simulator.url,
  })
  t.after(() => relay.stop())
  assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody())).status, 502)
  await until(() => IGNORED.test(relay.log()), 'a warning')
  assert.deepEqual(simulator.requests, [])
})

test('… nor for doctor, which does not call such a server trusted', async (t) => {
  const simulator = await serve(t, certificate('good'))
  const { code, stdout } = await runProgram(['doctor'], {
    env: { ...SWITCHED_OFF, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url },
  })
  assert.equal(code, 75, stdout)
  assert.match(stdout, /^FAIL TLS: /m)
  assert.match(stdout, /^warn configuration: NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored/m)
  assert.doesNotMatch(stdout, /\btrusted\b/)
  assert.deepEqual(simulator.requests, [])
})

test('what run starts finds the variable as it was set', async () => {
  const print = 'process.stdout.write(String(process.env.NODE_TLS_REJECT_UNAUTHORIZED))'
  const { stdout } = await runProgram(['run', '--deadline', '1s', '--', process.execPath, '-e', print], {
    env: { ...SWITCHED_OFF, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:9' },
  })
  assert.equal(stdout, '0')
})

test('an unreadable NODE_EXTRA_CA_CERTS does not keep an event from a server that is trusted anyway', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  assert.equal((await trigger(simulator.url, { NODE_EXTRA_CA_CERTS: '/does/not/exist.pem' })).code, 0)
})

async function acceptOnly(
  t: TestContext,
  versions: { minVersion: 'TLSv1' | 'TLSv1.2'; maxVersion: 'TLSv1.1' | 'TLSv1.2' },
) {
  const seen: (string | null)[] = []
  const server = createServer(
    { ...certificate('good'), ...versions, ciphers: 'ALL@SECLEVEL=0' },
    (socket) => {
      seen.push(socket.getProtocol())
      socket.on('error', () => undefined)
      socket.once('data', () => socket.end('HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}'))
    },
  )
  server.on('tlsClientError', () => seen.push(null))
  const { port, close } = await listen(server)
  t.after(close)
  return { url: `https://127.0.0.1:${port}`, seen }
}

test('a server that speaks nothing newer than TLS 1.1 gets no event, whatever Node was told', async (t) => {
  const { url, seen } = await acceptOnly(t, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })
  const { code, stderr } = await trigger(
    url,
    { NODE_OPTIONS: '--tls-min-v1.0 --tls-cipher-list=ALL@SECLEVEL=0' },
    '5s',
  )
  assert.equal(code, 75)
  assert.match(stderr, /the server does not support TLS 1\.2 or later/)
  assert.ok(seen.length > 0 && seen.every((protocol) => protocol === null))
})

test('the same holds behind a proxy', async (t) => {
  const { url, seen } = await acceptOnly(t, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })
  const proxy = await startProxy()
  t.after(() => proxy.close())
  const { code, stderr } = await trigger(
    url.replace('127.0.0.1', PROXIED_HOST),
    {
      HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
      NODE_OPTIONS: '--tls-min-v1.0 --tls-cipher-list=ALL@SECLEVEL=0',
    },
    '5s',
  )
  assert.equal(code, 75, stderr)
  assert.match(stderr, /the server does not support TLS 1\.2 or later/)
  assert.ok(seen.length > 0 && seen.every((protocol) => protocol === null))
})

test('TLS 1.2 is enough', async (t) => {
  const { url, seen } = await acceptOnly(t, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })
  const { code, stderr } = await trigger(url)
  assert.equal(code, 0, stderr)
  assert.deepEqual(seen, ['TLSv1.2'])
})

test('a server that does not speak TLS at all is named as such, and tried again', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const { code, stderr } = await trigger(`https://127.0.0.1:${simulator.port}`, {}, '5s')
  assert.equal(code, 75)
  assert.match(stderr, /attempt 1 failed: the server does not speak TLS on this port/)
})
