import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startSimulator, type Simulator } from '../../tools/simulator/simulator.ts'
import { CA_FILE, certificate } from '../support/certificates.ts'
import { KEY, runProgram, type Run } from '../support/program.ts'
import { PROXIED_HOST, startProxy, type Proxy, type ProxyOptions } from '../support/proxy.ts'
import { skipWithout } from '../support/required.ts'

const PASSWORD = 'pa%ss wörd/9876'
const USER_INFO = `build:${encodeURIComponent(PASSWORD)}`
const CREDENTIALS = Buffer.from(`build:${PASSWORD}`).toString('base64')

interface Scene {
  readonly simulator: Simulator
  readonly proxy: Proxy
}

async function set(t: TestContext, scheme: 'http' | 'https', options: ProxyOptions = {}): Promise<Scene> {
  const simulator = await startSimulator(scheme === 'https' ? { tls: certificate('other-host') } : {})
  const proxy = await startProxy(options)
  t.after(() => Promise.all([simulator.close(), proxy.close()]))
  return { simulator, proxy }
}

async function success(url: string, env: Record<string, string>): Promise<Run> {
  return await runProgram(['success', '--dedup-key', 'k', '--json'], {
    env: {
      PAGERDUTY_DEADLINE: '20s',
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_EVENTS_URL: url.replace('127.0.0.1', PROXIED_HOST),
      NODE_EXTRA_CA_CERTS: CA_FILE,
      CI_REPO_NAME: 'acme/shop',
      CI_BRANCH: 'master',
      ...env,
    },
  })
}

const VARIABLES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'] as const
for (const variable of VARIABLES) {
  const scheme = variable.toLowerCase() === 'https_proxy' ? 'https' : 'http'
  test(`${scheme} goes through the proxy of ${variable}, with its credentials`, async (t) => {
    const { simulator, proxy } = await set(t, scheme)
    const { code, stderr } = await success(simulator.url, {
      [variable]: `http://${USER_INFO}@127.0.0.1:${proxy.port}`,
    })
    assert.equal(code, 0, stderr)
    assert.equal(simulator.requests.length, 2)
    const there = simulator.url.replace('127.0.0.1', PROXIED_HOST)
    const asked = proxy.seen.map(({ request }) => request).toSorted()
    const expected =
      scheme === 'https'
        ? [`CONNECT ${PROXIED_HOST}:${simulator.port}`, `CONNECT ${PROXIED_HOST}:${simulator.port}`]
        : [`POST ${there}/v2/change/enqueue`, `POST ${there}/v2/enqueue`]
    assert.deepEqual(asked, expected)
    assert.ok(proxy.seen.every(({ authorization }) => authorization === `Basic ${CREDENTIALS}`))
    assert.ok(simulator.requests.every(({ headers }) => headers['proxy-authorization'] === undefined))
  })
}

test('a proxy in quotes, with a path, is used', async (t) => {
  const { simulator, proxy } = await set(t, 'https')
  const { code, stderr } = await success(simulator.url, {
    HTTPS_PROXY: `"http://127.0.0.1:${proxy.port}/proxy.pac"`,
  })
  assert.equal(code, 0, stderr)
  assert.equal(proxy.seen.length, 2)
})

test('the lower-case variable wins, and a blank one counts as unset', async (t) => {
  const { simulator, proxy } = await set(t, 'http')
  const own = `127.0.0.1:${proxy.port}`
  assert.equal((await success(simulator.url, { http_proxy: own, HTTP_PROXY: '127.0.0.1:1' })).code, 0)
  assert.equal((await success(simulator.url, { http_proxy: ' ', HTTP_PROXY: own })).code, 0)
  assert.equal(proxy.seen.length, 4)
})

test('a password with a lone percent sign is taken as it is', async (t) => {
  const { simulator, proxy } = await set(t, 'http')
  assert.equal(
    (await success(simulator.url, { HTTP_PROXY: `http://build:100%@127.0.0.1:${proxy.port}` })).code,
    0,
  )
  assert.equal(proxy.seen[0]?.authorization, `Basic ${Buffer.from('build:100%').toString('base64')}`)
})

for (const variable of ['no_proxy', 'NO_PROXY']) {
  test(`${variable} excepts a host from the proxy`, async (t) => {
    const { proxy } = await set(t, 'http')
    const excepted = `other.example, ${PROXIED_HOST}`
    const env = { HTTP_PROXY: `127.0.0.1:${proxy.port}`, [variable]: excepted, PAGERDUTY_DEADLINE: '1s' }
    assert.equal((await success('http://127.0.0.1:9', env)).code, 75)
    assert.deepEqual(proxy.seen, [])
  })
}

const OWN_HOSTS = ['127.0.0.1', '127.9.9.9', 'localhost', 'LOCALHOST', '2130706433'] as const
for (const host of OWN_HOSTS) {
  test(
    `a relay on ${host} is reached without the proxy`,
    { skip: /localhost/i.test(host) && skipWithout('localhost') },
    async (t) => {
      const simulator = await startSimulator({ host: '0.0.0.0' })
      const proxy = await startProxy()
      t.after(() => Promise.all([simulator.close(), proxy.close()]))
      const { code, stderr } = await runProgram(['trigger', '--summary', 's', '--dedup-key', 'k'], {
        env: {
          PAGERDUTY_TOKEN: KEY,
          PAGERDUTY_EVENTS_URL: `http://${host}:${simulator.port}`,
          HTTP_PROXY: `http://127.0.0.1:${proxy.port}`,
        },
      })
      assert.equal(code, 0, stderr)
      assert.deepEqual([proxy.seen.length, simulator.requests.length], [0, 1])
    },
  )
}

const NEEDLESS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'of the other scheme': { HTTPS_PROXY: 'socks5h://proxy:1080' },
  'for another machine': { HTTP_PROXY: 'socks5h://proxy:1080', https_proxy: 'http://:0:' },
  'excepted everywhere': { HTTP_PROXY: 'socks5h://proxy:1080', NO_PROXY: '*' },
}
for (const [name, env] of Object.entries(NEEDLESS)) {
  test(`a proxy that cannot be used stops no event that does not need it: ${name}`, async (t) => {
    const simulator = await startSimulator()
    t.after(() => simulator.close())
    const { code, stderr } = await runProgram(['trigger', '--summary', 's', '--dedup-key', 'k'], {
      env: { PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url, ...env },
    })
    assert.equal(code, 0, stderr)
  })
}

test('a proxy that cannot be used is refused if the event needs it, and not for a dry run', async () => {
  const args = ['trigger', '--summary', 's', '--dedup-key', 'k']
  const env = { PAGERDUTY_TOKEN: KEY, all_proxy: 'http://unused', https_proxy: 'socks5h://proxy:1080' }
  const { code, stderr } = await runProgram(args, { env })
  assert.deepEqual([code, stderr.includes('https_proxy: must be a proxy such as')], [78, true], stderr)
  assert.equal((await runProgram([...args, '--dry-run'], { env })).code, 0)
})

for (const scheme of ['http', 'https'] as const) {
  test(`a proxy's 407 is explained and final over ${scheme}, and no credentials are shown`, async (t) => {
    const { simulator, proxy } = await set(t, scheme, { refuseWith: 407 })
    const env = { [`${scheme}_proxy`]: `http://${USER_INFO}@127.0.0.1:${proxy.port}` }
    const { code, stdout, stderr } = await success(simulator.url, env)
    assert.equal(code, 75)
    assert.match(
      stderr,
      /the proxy does not accept the credentials \(407\); check the user name and password in/,
    )
    assert.match(
      stderr,
      new RegExp(`proxy of ${scheme.toUpperCase()}_PROXY \\(127\\.0\\.0\\.1:${proxy.port}\\)`),
    )
    const { events } = JSON.parse(stdout) as { events: { attempts: number; status: number }[] }
    assert.deepEqual(
      events.map(({ attempts, status }) => [attempts, status]),
      [
        [1, 407],
        [1, 407],
      ],
    )
    for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), CREDENTIALS, KEY])
      assert.ok(!(stdout + stderr).includes(secret))
    assert.deepEqual(simulator.requests, [])
  })
}

test('a proxy that forbids the server is named, and the advice is final', async (t) => {
  const { simulator, proxy } = await set(t, 'https', { refuseWith: 403 })
  const { code, stderr } = await success(simulator.url, { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` })
  assert.equal(code, 75)
  assert.match(
    stderr,
    /the proxy refuses to connect to the server \(403\); have it allow the server, or name .* in NO_PROXY/,
  )
  assert.equal(proxy.seen.length, 2)
})

test('a proxy that is down for a moment is tried again', async (t) => {
  const { simulator, proxy } = await set(t, 'https', { refuseWith: 503, times: 2 })
  const { code, stderr } = await success(simulator.url, { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` })
  assert.equal(code, 0, stderr)
  assert.match(
    stderr,
    /attempt 1 failed: the proxy refuses to connect to the server \(503\), through the proxy of HTTPS_PROXY/,
  )
  assert.equal(simulator.requests.length, 2)
})

for (const status of [200, 403]) {
  test(`a proxy's broken ${status} to CONNECT is not an answer to the event`, async (t) => {
    const firstHead = `HTTP/1.1 ${status} Odd\r\nnot a header\r\n\r\n`
    const { simulator, proxy } = await set(t, 'https', { firstHead })
    const { code, stderr } = await success(simulator.url, { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` })
    assert.equal(code, 0, stderr)
    assert.equal(simulator.requests.length, 2, stderr)
  })
}

test('a proxy that is not there is named by its variable', async (t) => {
  const { simulator, proxy } = await set(t, 'http')
  await proxy.close()
  const { code, stderr } = await success(simulator.url, {
    HTTP_PROXY: `http://${USER_INFO}@127.0.0.1:${proxy.port}`,
    PAGERDUTY_DEADLINE: '2s',
  })
  assert.equal(code, 75)
  assert.match(
    stderr,
    new RegExp(
      `(?:refused \\(ECONNREFUSED\\)|no answer within [\\d.]+ s), through the proxy of HTTP_PROXY \\(127\\.0\\.0\\.1:${proxy.port}\\), server ${PROXIED_HOST}:${simulator.port}`,
    ),
  )
  assert.doesNotMatch(stderr, /9876/)
})
