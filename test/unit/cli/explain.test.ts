import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainIdentity } from '../../../src/cli/report.ts'
import { randomDedupKey } from '../../../src/cli/session.ts'
import type { Event } from '../../../src/core/event.ts'
import { successKeyFor, type Identity } from '../../../src/core/identity.ts'
import { createLog } from '../../../src/log.ts'

const IDENTITY: Identity = {
  environment: { value: 'production', origin: '--environment' },
  dedupKey: { value: 'deploy/acme/shop/production', origin: 'repository from CI_REPO_NAME' },
  source: { value: 'acme/shop', origin: 'CI_REPO_NAME' },
}
const payload = { summary: 's', source: 'acme/shop' }
const alert = (dedupKey: string): Event => ({
  kind: 'alert',
  body: { event_action: 'trigger', dedup_key: dedupKey, payload },
})

async function explained(events: readonly Event[], identity = IDENTITY): Promise<string[]> {
  let words = ''
  const log = await createLog({ level: 'info', format: 'text', write: (text) => (words += text) })
  explainIdentity(events, identity, log)
  return words
    .trimEnd()
    .split('\n')
    .map((line) => line.replace('pagerduty-alert: ', ''))
}

test('each part of the identity is shown with its origin', async () => {
  assert.deepEqual(await explained([alert('deploy/acme/shop/production')]), [
    'environment: production (--environment)',
    'dedup key: deploy/acme/shop/production (repository from CI_REPO_NAME)',
    'source: acme/shop (CI_REPO_NAME)',
  ])
})

test("a success's own alert has the origin of the failure's key", async () => {
  const [, key] = await explained([alert(successKeyFor('deploy/acme/shop/production'))])
  assert.equal(key, 'dedup key: deploy/acme/shop/production#success (repository from CI_REPO_NAME)')
})

test('a change event has no dedup key, and without an environment there is none', async () => {
  const { source } = IDENTITY
  assert.deepEqual(await explained([{ kind: 'change', body: { payload } }], { source }), [
    'environment: none',
    'source: acme/shop (CI_REPO_NAME)',
  ])
})

test('values from the event itself, and random ones, are shown as such', async () => {
  const own: Event = { kind: 'change', body: { payload: { summary: 's', source: 'db-1' } } }
  assert.deepEqual(await explained([alert('mine')]), [
    'environment: production (--environment)',
    'dedup key: mine (the event)',
    'source: acme/shop (CI_REPO_NAME)',
  ])
  assert.equal((await explained([own])).at(-1), 'source: db-1 (the event)')
  const random = randomDedupKey()
  const [, key] = await explained([alert(random)], { source: IDENTITY.source })
  assert.equal(key, `dedup key: ${random} (random, since nothing names the alert)`)
})
