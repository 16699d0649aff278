import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, beforeEach, test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { HOSTILE_BODIES, MAX_BYTES } from '../../support/hostile.ts'
import { KEY } from '../../support/program.ts'
import { startRelay } from '../../support/relay.ts'

const SECRET = 'the-hooks-own-secret'
const simulator = await startSimulator()
const ENV = {
  PAGERDUTY_TOKEN: KEY,
  PAGERDUTY_EVENTS_URL: simulator.url,
  PAGERDUTY_HOOK_SECRET: SECRET,
}
const relay = await startRelay({ ...ENV, PAGERDUTY_RELAY_TOKEN: 'the-relays-token' })
after(async () => {
  relay.program.child.kill('SIGKILL')
  await simulator.close()
})
beforeEach(() => simulator.reset())

interface Delivery {
  readonly name: string
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body: unknown
  readonly report: { readonly state: string; readonly build: Readonly<Record<string, string>> } | string
}

/** How each system proves that it knows the secret. */
const PROOFS: Readonly<Record<string, (secret: string, body: string) => Record<string, string>>> = {
  codeship: (secret) => ({ authorization: `Basic ${Buffer.from(`hook:${secret}`).toString('base64')}` }),
  github: (secret, body) => ({ 'x-hub-signature-256': signature(secret, body) }),
  gitlab: (secret) => ({ 'x-gitlab-token': secret }),
  argocd: (secret) => ({ authorization: `Bearer ${secret}` }),
  flux: (secret, body) => ({ 'x-signature': signature(secret, body) }),
}

function signature(secret: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}

function deliveriesOf(system: string): Delivery[] {
  const url = new URL(`../../fixtures/hooks/${system}.json`, import.meta.url)
  return JSON.parse(readFileSync(url, 'utf8')) as Delivery[]
}

async function deliver(system: string, delivery: Delivery, secret = SECRET): Promise<Response> {
  // Not as `JSON.stringify` writes it: the signature is of the bytes, not of what they mean.
  return await deliverText(system, JSON.stringify(delivery.body, undefined, 1), delivery, secret)
}

async function deliverText(
  system: string,
  body: string,
  { headers, query }: Pick<Delivery, 'headers' | 'query'>,
  secret = SECRET,
): Promise<Response> {
  const proof = PROOFS[system]?.(secret, body)
  return await fetch(`${relay.url}/hooks/${system}?${new URLSearchParams(query).toString()}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers, ...proof },
    body,
  })
}

const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  success: ['change', 'resolve'],
  failure: ['trigger'],
  cancelled: ['change'],
}

for (const system of Object.keys(PROOFS)) {
  test(`what ${system} reports is what PagerDuty gets`, async () => {
    const states = new Set<string>()
    for (const delivery of deliveriesOf(system)) {
      simulator.reset()
      const answer = await deliver(system, delivery)
      const { report, name } = delivery
      const state = typeof report === 'string' ? 'ignored' : report.state
      states.add(state)
      const sent = simulator.requests.map(({ body }) => JSON.parse(String(body)) as Record<string, unknown>)
      const kinds = sent.map((body) => String(body['event_action'] ?? 'change'))
      const expected = EXPECTED[state] ?? []
      assert.deepEqual([answer.status, kinds.toSorted()], [state === 'ignored' ? 200 : 202, expected], name)
      const details = sent.map(
        (body) => (body['payload'] as { custom_details?: object } | undefined)?.custom_details,
      )
      if (typeof report !== 'string' && expected.length > 0)
        assert.partialDeepStrictEqual(details.find(Boolean), {
          outcome: state,
          repository: report.build['repository'],
          build_id: report.build['buildId'],
        })
    }
    assert.ok(
      ['success', 'failure'].every((state) => states.has(state)),
      [...states].join(', '),
    )
  })

  test(`a webhook of ${system} that does not know the secret is refused, and nothing is sent`, async () => {
    const delivery = deliveriesOf(system).find(
      ({ report }) => typeof report !== 'string' && report.state === 'failure',
    )
    assert.ok(delivery)
    for (const secret of ['another', 'the-relays-token', ''])
      assert.equal((await deliver(system, delivery, secret)).status, 403)
    const bare = { method: 'POST', body: JSON.stringify(delivery.body) }
    assert.equal((await fetch(`${relay.url}/hooks/${system}`, bare)).status, 403)
    assert.equal(simulator.requests.length, 0)
  })
}

test('a start that a webhook reports is recorded, and watched only if the relay has a time for it', async () => {
  const delivery = deliveriesOf('codeship').find(
    ({ report }) => typeof report !== 'string' && report.state === 'started',
  )
  assert.ok(delivery)
  const body = JSON.stringify(delivery.body)
  for (const within of ['', '45m']) {
    const own = await startRelay({ ...ENV, PAGERDUTY_WITHIN: within })
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${SECRET}` }
    const answer = await fetch(`${own.url}/hooks/codeship`, { method: 'POST', body, headers })
    assert.equal(answer.status, 202)
    const { deployments } = (await (await fetch(`${own.url}/deployments`)).json()) as {
      deployments: { outcome: string; due_at?: string }[]
    }
    assert.deepEqual(
      deployments.map(({ outcome, due_at: dueAt }) => [outcome, dueAt !== undefined]),
      [['started', within !== '']],
    )
    await own.stop()
  }
})

test('a webhook that is not JSON is told how it should be sent', async () => {
  const body = 'payload=%7B%7D'
  const headers = {
    'x-hub-signature-256': signature(SECRET, body),
    'content-type': 'application/x-www-form-urlencoded',
  }
  const answer = await fetch(`${relay.url}/hooks/github`, { method: 'POST', body, headers })
  assert.equal(answer.status, 400)
  assert.match(await answer.text(), /application\/json/)
})

test('no body of a webhook is too hostile to be answered', async () => {
  const systems = Object.keys(PROOFS)
  for (const [index, { name, make }] of HOSTILE_BODIES.entries()) {
    const system = systems[index % systems.length] ?? ''
    const [delivery = {}] = deliveriesOf(system)
    const { status } = await deliverText(system, make(MAX_BYTES), delivery)
    assert.ok(status < 500 || status === 503, `${system}, ${name}: ${status}`)
  }
})

test('without a secret there are no webhooks, and another site may not send one', async () => {
  const off = await startRelay({ PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url })
  try {
    const answer = await fetch(`${off.url}/hooks/github`, { method: 'POST', body: '{}' })
    assert.equal(answer.status, 404)
    assert.match(await answer.text(), /PAGERDUTY_HOOK_SECRET/)
  } finally {
    off.program.child.kill('SIGKILL')
  }
  const headers = { origin: 'https://evil.example' }
  assert.equal(
    (await fetch(`${relay.url}/hooks/github`, { method: 'POST', body: '{}', headers })).status,
    403,
  )
})
