import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DRY_RUN, PRINTINGS } from '../../support/leak-commands.ts'
import { startLeakServers } from '../../support/leak-servers.ts'
import { findMarkers, findMarkersInFiles, MARKERS, PROXY_USER } from '../../support/markers.ts'
import { CODESHIP_PRO } from '../../support/program.ts'
import { alertBody, startRelay } from '../../support/relay.ts'

const directory = mkdtempSync(join(tmpdir(), 'relay-leaks-'))
let servers: Awaited<ReturnType<typeof startLeakServers>>
before(async () => {
  servers = await startLeakServers()
})
after(async () => {
  await servers.close()
  rmSync(directory, { recursive: true, force: true })
})

type Env = Readonly<Record<string, string>>
type Ports = Awaited<ReturnType<typeof startLeakServers>>['ports']

const at = (port: number, scheme = 'http'): Env => ({
  PAGERDUTY_EVENTS_URL: `${scheme}://127.0.0.1:${port}`,
  PAGERDUTY_API_URL: `${scheme}://127.0.0.1:${port}`,
})

/** What PagerDuty, or the way to it, is like. */
const WORLDS: Readonly<Record<string, (ports: Ports) => Env>> = {
  'PagerDuty takes everything': ({ accepting }) => at(accepting),
  'a 400 echoes the request': ({ echo400 }) => at(echo400),
  'a 401 echoes the request': ({ echo401 }) => at(echo401),
  'a 503 echoes the request': ({ echo503 }) => at(echo503),
  'a redirect repeats the request': ({ redirect }) => at(redirect),
  'the certificate is not trusted': ({ tls }) => at(tls, 'https'),
  'a proxy refuses the credentials and repeats them': ({ proxy407 }) => ({
    PAGERDUTY_EVENTS_URL: 'https://pagerduty.example:9',
    PAGERDUTY_API_URL: 'https://pagerduty.example:9',
    HTTPS_PROXY: `http://${PROXY_USER}:${encodeURIComponent(MARKERS.proxyPassword)}@127.0.0.1:${proxy407}`,
  }),
  'nothing listens': () => at(1),
}

const LOOKED_UP = 'a REST API token'

/** How the relay got its secrets. */
const HOLDINGS: Readonly<Record<string, (own: string) => Env>> = {
  'a key in its environment': () => ({
    PAGERDUTY_ROUTING_KEY: MARKERS.routingKey,
    PAGERDUTY_RELAY_TOKEN: MARKERS.relayToken,
    PAGERDUTY_RELAY_VIEW_TOKEN: MARKERS.viewToken,
    PAGERDUTY_HOOK_SECRET: MARKERS.hookSecret,
  }),
  'a key in a file': (own) => ({
    PAGERDUTY_ROUTING_KEY_FILE: file(own, 'key', `web=${MARKERS.routingKey}\n`),
    PAGERDUTY_RELAY_TOKEN_FILE: file(own, 'relay-token', MARKERS.relayToken),
    PAGERDUTY_RELAY_VIEW_TOKEN_FILE: file(own, 'view-token', MARKERS.viewToken),
    PAGERDUTY_HOOK_SECRET_FILE: file(own, 'hook-secret', MARKERS.hookSecret),
  }),
  [LOOKED_UP]: () => ({
    PAGERDUTY_TOKEN: MARKERS.restToken,
    PAGERDUTY_RELAY_TOKEN: MARKERS.relayToken,
    PAGERDUTY_RELAY_VIEW_TOKEN: MARKERS.viewToken,
    PAGERDUTY_HOOK_SECRET: MARKERS.hookSecret,
    PAGERDUTY_SERVICE_ID: 'PSHOP',
  }),
}

function file(own: string, name: string, text: string): string {
  const path = join(own, name)
  writeFileSync(path, text)
  return path
}

const JSON_TYPE = { 'content-type': 'application/json' }
const OWN = { routing_key: MARKERS.secondKey }
const withOwn = JSON.stringify(alertBody({ ...OWN, dedup_key: MARKERS.secondKey }))

/** A webhook of Codeship with secrets in it. */
const FAILED_BUILD = JSON.stringify({
  build: {
    status: 'error',
    project_full_name: 'acme/shop',
    branch: 'main',
    build_id: 1,
    message: `the key is ${MARKERS.routingKey}, the tokens ${MARKERS.relayToken} and ${MARKERS.viewToken}, the secret ${MARKERS.hookSecret}`,
  },
})

/** What a caller of `/failure` and `/started` may send along, with secrets in it. */
const OUTCOME = new URLSearchParams({
  summary: `Deployed with ${MARKERS.viewToken}`,
  output: MARKERS.relayToken,
})

const HOOK_BODY = JSON.stringify({ app: { metadata: { name: MARKERS.hookSecret } }, object_kind: 'pipeline' })

/** Requests that hold secrets wherever one may get to by mistake: path, query, headers, and bodies good and bad. */
const REQUESTS: readonly [path: string, init: RequestInit][] = [
  ['/failure', { method: 'POST' }],
  ['/success', { method: 'POST', body: new URLSearchParams({ summary: 'Deployed' }) }],
  ['/v2/enqueue', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(alertBody()) }],
  ['/v2/enqueue', { method: 'POST', headers: JSON_TYPE, body: withOwn }],
  ['/v2/enqueue', { method: 'POST', headers: JSON_TYPE, body: withOwn.slice(0, -1) }],
  ['/v2/enqueue', { method: 'POST', headers: { 'content-type': MARKERS.secondKey }, body: withOwn }],
  ['/v2/change/enqueue', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(OWN) }],
  [
    '/v2/change/enqueue',
    { method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ routing_key: `${MARKERS.secondKey}0` }) },
  ],
  [`/v2/enqueue/${MARKERS.routingKey}?key=${MARKERS.secondKey}`, { method: 'POST' }],
  [`/${MARKERS.relayToken}`, { method: 'DELETE' }],
  ['/failure', { method: 'POST', headers: { 'x-request-id': MARKERS.secondKey, prefer: MARKERS.secondKey } }],
  [`/events?status=${MARKERS.secondKey}`, {}],
  ['/events', {}],
  [
    '/events/retry',
    { method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ key: MARKERS.routingKey }) },
  ],
  [`/hooks/codeship?token=${encodeURIComponent(MARKERS.hookSecret)}`, { method: 'POST', body: FAILED_BUILD }],
  ['/failure', { method: 'POST', body: OUTCOME }],
  ['/started', { method: 'POST', body: OUTCOME }],
  ['/started', { method: 'POST', body: new URLSearchParams({ within: MARKERS.secondKey }) }],
  ...['argocd', 'flux', 'github', 'gitlab'].map((system): [string, RequestInit] => [
    `/hooks/${system}`,
    {
      method: 'POST',
      headers: {
        ...JSON_TYPE,
        'x-signature': `sha256=${MARKERS.hookSecret}`,
        'x-gitlab-token': `${MARKERS.hookSecret}!`,
      },
      body: HOOK_BODY,
    },
  ]),
  ['/hooks/gitlab', { method: 'POST', headers: { 'x-gitlab-token': MARKERS.hookSecret }, body: '{' }],
  ['/hooks/github', { method: 'POST', headers: { 'x-hub-signature-256': MARKERS.hookSecret } }],
  ['/deployments', {}],
  [`/deployments?outcome=${MARKERS.secondKey}`, {}],
  [`/deployments/${MARKERS.secondKey}`, {}],
  ['/deployments/1', {}],
  ['/events/1', {}],
  [`/events/${MARKERS.secondKey}`, {}],
  ['/events/1/discard', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ note: OWN }) }],
  [
    '/events/discard',
    { method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ key: MARKERS.routingKey }) },
  ],
  ['/status', {}],
  ['/', { headers: { accept: 'text/html' } }],
  ['/ui/session', { method: 'POST', body: new URLSearchParams({ token: `${MARKERS.relayToken}!` }) }],
  ['/ui/session', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ token: MARKERS.secondKey }) }],
  ['/metrics', {}],
  ['/readyz', {}],
]

/**
 * Sends every request with the right token, with the one that may only look, with a wrong one, and with the cookie of
 * somebody who is logged in. Returns all that was answered, and the cookies.
 */
async function ask(url: string): Promise<{ answers: string; cookies: readonly string[] }> {
  const cookies = await Promise.all([MARKERS.relayToken, MARKERS.viewToken].map((token) => logIn(url, token)))
  const callers: Record<string, string>[] = [
    ...[MARKERS.relayToken, MARKERS.viewToken, `${MARKERS.relayToken}!`].map((token) => ({
      authorization: `Bearer ${token}`,
    })),
    ...cookies.slice(0, 1).map((cookie) => ({ cookie })),
  ]
  const answers = REQUESTS.flatMap(([path, init]) =>
    callers.map(async (caller) => {
      const headers = { ...(init.headers as Record<string, string>), ...caller }
      const answer = await fetch(url + path, { ...init, headers, redirect: 'manual' })
      return `${JSON.stringify([...answer.headers])} ${await answer.text()}`
    }),
  )
  const said = [...(await Promise.all(answers)), await readLive(url), await speakBadly(url)].join('\n')
  return { answers: said, cookies: cookies.flatMap((cookie) => cookie.split('=')[1] || []) }
}

/** Logs in on the page; the cookie is blank if the token is none of the relay's. */
async function logIn(url: string, token: string): Promise<string> {
  const answer = await fetch(`${url}/ui/session`, {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify({ token }),
  })
  assert.deepEqual(findMarkers(await answer.text()), [])
  return answer.headers.getSetCookie()[0]?.split(';')[0] ?? 'none='
}

/** The first thing that the page's stream says. */
async function readLive(url: string): Promise<string> {
  const stop = new AbortController()
  const answer = await fetch(`${url}/events/live`, {
    headers: { authorization: `Bearer ${MARKERS.relayToken}` },
    signal: stop.signal,
  })
  const first = await answer.body?.getReader().read()
  stop.abort()
  return Buffer.from(first?.value ?? []).toString('utf8')
}

/** A request that is no HTTP, with secrets in it. */
async function speakBadly(url: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let said = ''
  socket.setEncoding('utf8').on('data', (text: string) => (said += text))
  socket.write(
    `POST /failure HTTP/1.1\r\nauthorization ${MARKERS.relayToken}\r\n${MARKERS.secondKey}\r\n\r\n`,
  )
  await once(socket, 'close')
  return said
}

const without = (name: string, found: readonly string[]): string[] =>
  found.filter((one) => !one.endsWith(name))

describe('a relay shows no secret', { concurrency: 4 }, () => {
  let number = 0
  for (const [world, envOf] of Object.entries(WORLDS)) {
    for (const [holding, secretsOf] of Object.entries(HOLDINGS)) {
      const printing = PRINTINGS[number++ % PRINTINGS.length] ?? DRY_RUN
      const isKept = number % 2 === 0
      const said = JSON.stringify(printing.env)
      test(`with ${holding}, ${isKept ? 'a' : 'no'} spool and ${said}, while ${world}`, async () => {
        const own = mkdtempSync(join(directory, 'secrets-'))
        const kept = mkdtempSync(join(directory, 'kept-'))
        const relay = await startRelay({
          ...CODESHIP_PRO,
          ...envOf(servers.ports),
          ...secretsOf(own),
          ...printing.env,
          ...(isKept && { PAGERDUTY_SPOOL: kept }),
          PAGERDUTY_TIMEOUT: '1s',
        })
        const { answers, cookies } = await ask(relay.url)
        const { code, stdout, stderr } = await relay.stop()
        assert.equal(code, 0)
        assert.match(answers, /problem\+json/)
        assert.deepEqual(findMarkers(stdout + stderr), [], stderr)
        for (const cookie of cookies)
          assert.ok(!`${stdout}${stderr}${answers}`.includes(cookie), 'a session shows')
        // A key that is still to be looked up is not known yet, and cannot be masked in what a caller sends.
        const known = (found: readonly string[]): readonly string[] =>
          holding === LOOKED_UP ? without('routingKey', found) : found
        // A caller that uses its own key as a dedup key gets that back, as from PagerDuty.
        assert.deepEqual(without('secondKey', known(findMarkers(answers))), [], answers)
        // Of secrets a spool holds the key that a caller brought, and no other.
        assert.deepEqual(without('secondKey', known(findMarkersInFiles(kept))), [])
      })
    }
  }
})
