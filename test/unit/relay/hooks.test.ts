import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { ARGOCD_HOOK } from '../../../src/relay/hooks/argocd.ts'
import { CODESHIP_HOOK } from '../../../src/relay/hooks/codeship.ts'
import { FLUX_HOOK } from '../../../src/relay/hooks/flux.ts'
import { GITHUB_HOOK } from '../../../src/relay/hooks/github.ts'
import { GITLAB_HOOK } from '../../../src/relay/hooks/gitlab.ts'
import type { Hook, HookReport, HookRequest } from '../../../src/relay/hooks/hook.ts'

const HOOKS = {
  argocd: ARGOCD_HOOK,
  codeship: CODESHIP_HOOK,
  flux: FLUX_HOOK,
  github: GITHUB_HOOK,
  gitlab: GITLAB_HOOK,
} as const satisfies Record<string, Hook>

interface Delivery {
  readonly name: string
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body: unknown
  /** Without the origins of the build's fields. */
  readonly report: HookReport | string
}

function requestOf({ headers = {}, query = {}, body }: Omit<Delivery, 'name' | 'report'>): HookRequest {
  return { headers, query, body, rawBody: Buffer.from(JSON.stringify(body)) }
}

for (const [system, hook] of Object.entries(HOOKS)) {
  const url = new URL(`../../fixtures/hooks/${system}.json`, import.meta.url)
  for (const delivery of JSON.parse(readFileSync(url, 'utf8')) as Delivery[]) {
    test(`${system}: ${delivery.name}`, () => {
      const report = hook.read(requestOf(delivery))
      if (typeof report === 'string') return assert.equal(report, delivery.report)
      const { origins, ...build } = report.build
      assert.deepEqual({ ...report, build }, delivery.report)
      assert.deepEqual(Object.keys(origins).toSorted(), Object.keys(build).toSorted())
    })
  }
}

test('whatever a body holds, a hook reports or says why not', () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(HOOKS)), fc.jsonValue(), (hook, body) => {
      for (const event of ['workflow_run', 'deployment_status'])
        assert.ok(hook.read(requestOf({ body, headers: { 'x-github-event': event } })))
    }),
  )
})

const SECRET = 'a-secret-of-the-hook'
const BODY = { a: 'ü' }
const sign = (secret: string, algorithm = 'sha256'): string =>
  `${algorithm}=${createHmac(algorithm, secret).update(JSON.stringify(BODY)).digest('hex')}`
const basic = (password: string): string => `Basic ${Buffer.from(`hook:${password}`).toString('base64')}`

const AUTHENTIC: Readonly<Record<keyof typeof HOOKS, readonly Partial<Omit<Delivery, 'body'>>[]>> = {
  argocd: [{ headers: { authorization: `Bearer ${SECRET}` } }, { headers: { authorization: basic(SECRET) } }],
  codeship: [{ query: { token: SECRET } }, { headers: { authorization: basic(SECRET) } }],
  flux: [
    { headers: { 'x-signature': sign(SECRET) } },
    { headers: { 'x-signature': sign(SECRET, 'sha512') } },
    { headers: { authorization: `bearer ${SECRET}` } },
  ],
  github: [{ headers: { 'x-hub-signature-256': sign(SECRET) } }],
  gitlab: [{ headers: { 'x-gitlab-token': SECRET } }],
}
const FORGED: readonly Partial<Omit<Delivery, 'body'>>[] = [
  {},
  { query: { token: '' } },
  { query: { token: `${SECRET}x` } },
  { headers: { authorization: `Bearer ${SECRET}x` } },
  { headers: { authorization: 'Bearer ' } },
  { headers: { authorization: basic('') } },
  { headers: { authorization: 'Basic !' } },
  { headers: { authorization: SECRET } },
  { headers: { 'x-signature': sign('other') } },
  { headers: { 'x-signature': sign(SECRET).replace('sha256', 'md5') } },
  { headers: { 'x-signature': sign(SECRET, 'sha1') } },
  { headers: { 'x-hub-signature-256': sign('other') } },
  { headers: { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` } },
  { headers: { 'x-gitlab-token': SECRET.slice(1) } },
]

for (const [system, hook] of Object.entries(HOOKS)) {
  test(`${system}: only who knows the secret is believed`, () => {
    for (const how of AUTHENTIC[system as keyof typeof HOOKS])
      assert.ok(hook.isAuthentic(requestOf({ ...how, body: BODY }), SECRET), JSON.stringify(how))
    for (const how of FORGED)
      assert.ok(!hook.isAuthentic(requestOf({ ...how, body: BODY }), SECRET), JSON.stringify(how))
  })
}
