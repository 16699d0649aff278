import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { request } from 'node:http'
import { after, beforeEach, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { openApi } from '../../../src/relay/openapi.ts'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY, runProgram } from '../../support/program.ts'
import { alertBody, post, startRelay } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'
import { until } from '../../support/until.ts'

/*
 * What a browser can be made to send to a relay on the same machine or network, and what other programs send.
 */

const run = promisify(execFile)
const TOKEN = 'open-sesame-please'
const simulator = await startSimulator()
const ENV = { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url }
const open = await startRelay({ ...ENV, PAGERDUTY_RELAY_NAMES: 'relay.example.com' })
const guarded = await startRelay({ ...ENV, PAGERDUTY_RELAY_TOKEN: TOKEN })
const port = Number(new URL(open.url).port)
after(async () => {
  await Promise.all([open.stop(), guarded.stop()])
  await simulator.close()
})
beforeEach(() => simulator.reset())

/** Every route, as the API's description lists them. */
const ROUTES = Object.entries(openApi()['paths'] as Record<string, object>).flatMap(([path, methods]) =>
  Object.keys(methods).map((method): [string, string] => [method.toUpperCase(), path]),
)

interface Asked {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The request's target, if it is not the path. */
  readonly target?: string
}

/** Sends a request whose headers no library has touched. */
async function ask(
  relayUrl: string,
  [method, path]: readonly [string, string],
  { headers = {}, body = '', target = path }: Asked,
): Promise<{ status: number; text: string; headers: Readonly<Record<string, unknown>> }> {
  const { hostname, port: relayPort, host } = new URL(relayUrl)
  return await new Promise((resolve, reject) => {
    const length = method === 'POST' ? { 'content-length': String(Buffer.byteLength(body)) } : {}
    const options = { method, hostname, port: relayPort, path: target, agent: false }
    const sent = request({ ...options, headers: { host, ...length, ...headers } }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const PAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a form of another site': { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', ...FORM },
  'a form of another site, by a browser without Fetch Metadata': { origin: 'http://evil.example', ...FORM },
  'a sandboxed frame': { origin: 'null', ...FORM },
  'an image or a script of another site': { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
  'a page of another port of this machine': {
    origin: 'http://127.0.0.1:3000',
    'sec-fetch-site': 'same-site',
    'content-type': 'application/json',
  },
}
for (const [what, headers] of Object.entries(PAGES)) {
  test(`${what} is answered 403 on every route, with a token, too, and nothing is sent`, async () => {
    for (const route of ROUTES) {
      const body = route[0] === 'POST' ? 'summary=Pwned' : ''
      const answer = await ask(open.url, route, { headers, body })
      assert.equal(answer.status, 403, route.join(' '))
      assert.match(answer.text, /a web page of another site must not use this relay/)
      assert.equal(answer.headers['access-control-allow-origin'], undefined)
      const authorized = { ...headers, authorization: `Bearer ${TOKEN}` }
      assert.equal((await ask(guarded.url, route, { headers: authorized, body })).status, 403)
    }
    assert.equal(simulator.requests.length, 0)
  })
}

test('a preflight gets no permission', async () => {
  const headers = {
    origin: 'https://evil.example',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type,authorization',
  }
  for (const [, path] of ROUTES) {
    const answer = await ask(open.url, ['OPTIONS', path], { headers })
    assert.equal(answer.status, 403)
    assert.deepEqual(
      Object.keys(answer.headers).filter((name) => name.startsWith('access-control-')),
      [],
    )
  }
})

describe('a name that was pointed at the relay (DNS rebinding)', () => {
  const rebound = `evil.example:${port}`
  const page = { host: rebound, origin: `http://${rebound}`, 'sec-fetch-site': 'same-origin' }

  test('is answered 421 on every route: nothing is read, nothing is sent', async () => {
    for (const route of ROUTES) {
      const answer = await ask(open.url, route, { headers: page, body: JSON.stringify(alertBody()) })
      assert.equal(answer.status, 421, route.join(' '))
      assert.match(answer.text, /add the name to PAGERDUTY_RELAY_NAMES, or set PAGERDUTY_RELAY_TOKEN/)
    }
    assert.equal(simulator.requests.length, 0)
  })
  test('is answered 421 in an absolute target, whatever Host is beside it', async () => {
    const target = `http://${rebound}/events`
    assert.equal((await ask(open.url, ['GET', '/events'], { target })).status, 421)
  })
  test('finds the token missing if there is one', async () => {
    const answer = await ask(guarded.url, ['GET', '/events'], { headers: page })
    assert.equal(answer.status, 401)
  })
})

test('a page of the relay’s own is served', async () => {
  const own = { origin: open.url, 'sec-fetch-site': 'same-origin' }
  assert.equal((await ask(open.url, ['POST', '/failure'], { headers: own })).status, 202)
  assert.equal(
    (await ask(open.url, ['GET', '/events'], { headers: { 'sec-fetch-site': 'none' } })).status,
    200,
  )
})

describe('programs that are not browsers notice nothing', () => {
  for (const name of ['pagerduty', 'PagerDuty', 'localhost', 'relay.example.com'])
    test(`curl, by the name ${name}`, { skip: skipWithout('curl') }, async () => {
      const there = ['--resolve', `${name}:${port}:127.0.0.1`, '--noproxy', '*']
      await run('curl', ['-fsS', ...there, '-X', 'POST', `http://${name}:${port}/failure`])
      assert.equal(simulator.alerts.length, 1)
    })

  test('curl, with HTTP/1.0 and no Host', { skip: skipWithout('curl') }, async () => {
    await run('curl', ['-fsS', '--http1.0', '-H', 'Host:', '-X', 'POST', `${open.url}/failure`])
    assert.equal(simulator.alerts.length, 1)
  })
  test('curl that takes the relay for a proxy', { skip: skipWithout('curl') }, async () => {
    const target = `http://localhost:${port}/failure`
    await run('curl', ['-fsS', '--noproxy', '', '--proxy', open.url, '-X', 'POST', target])
    assert.equal(simulator.alerts.length, 1)
  })
  test('wget', { skip: skipWithout('wget') }, async () => {
    const { stdout } = await run('wget', [
      '-qO-',
      '--post-data=environment=production',
      `${open.url}/failure`,
    ])
    assert.match(stdout, /"dedup_key":"deploy\/acme\/shop\/production"/)
  })
  test('busybox’s wget', { skip: skipWithout('busybox') }, async () => {
    const data = ['--post-data', 'environment=staging']
    const { stdout } = await run('busybox', ['wget', '-qO-', ...data, `${open.url}/failure`])
    assert.match(stdout, /"dedup_key":"deploy\/acme\/shop\/staging"/)
  })
  test('Python, by the name localhost', { skip: skipWithout('python3') }, async () => {
    const program = `import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", ${port})
connection.request("POST", "/failure", headers={"Host": "localhost:${port}", "Content-Length": "0"})
print(connection.getresponse().status)`
    assert.equal((await run('python3', ['-c', program])).stdout.trim(), '202')
  })
  test('Node’s fetch, whose mode is cors', async () => {
    assert.equal((await post(`${open.url}/v2/enqueue`, alertBody())).status, 202)
  })
})

test('the program’s own client says what to do if the relay does not know its name', async () => {
  const env = { ...CODESHIP_PRO, PAGERDUTY_RELAY_URL: 'http://evil.example', HTTP_PROXY: open.url }
  const { code, stderr } = await runProgram(['failure'], { env })
  assert.equal(code, 65)
  assert.match(stderr, /421: .*add the name to PAGERDUTY_RELAY_NAMES, or set PAGERDUTY_RELAY_TOKEN/)
})

test('a refusal is logged by its route alone', async () => {
  const headers = { host: 'evil.example', origin: 'https://evil.example' }
  await ask(open.url, ['GET', '/metrics'], { headers })
  await until(() => open.log().includes('GET /metrics 403'), 'it is logged')
  assert.doesNotMatch(open.log(), /evil/)
})
