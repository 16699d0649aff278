import assert from 'node:assert/strict'
import { test } from 'node:test'
import { knownSecrets } from '../../../src/config/known-secrets.ts'

const KEYS = { first: '0123456789abcdef0123456789abcdef', second: 'fedcba9876543210fedcba9876543210' }

function reveal(env: Record<string, string>, files: Record<string, string> = {}): string[] {
  const recall = (path: string): string => files[path] ?? assert.fail(`${path} was not read`)
  return knownSecrets(env, recall).map((secret) => secret.reveal())
}

test('each of several keys is a secret', () => {
  const found = reveal({ PAGERDUTY_ROUTING_KEY: `"a=${KEYS.first}, ${KEYS.second}"` })
  assert.ok(found.includes(KEYS.first) && found.includes(KEYS.second))
  assert.ok(!found.includes('a'), 'an alias is none')
})

test('what a file held is a secret, and a file that could not be read does no harm', () => {
  const env = { PAGERDUTY_TOKEN_FILE: '/run/key', PAGERDUTY_RELAY_TOKEN_FILE: '/run/none' }
  assert.deepEqual([...new Set(reveal(env, { '/run/key': `${KEYS.first}\n` }))], [KEYS.first])
})

test("a proxy's password is a secret in each of its forms, also beside a proxy that cannot be read", () => {
  const found = reveal({ https_proxy: 'http://me:p%26ss@proxy:3128', HTTP_PROXY: 'socks5://me:other@proxy' })
  assert.deepEqual(found, ['p%26ss', 'p&ss', Buffer.from('me:p&ss').toString('base64')])
})
