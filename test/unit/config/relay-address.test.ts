import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gather } from '../../../src/config/sources.ts'
import { loadRelayConfig } from '../../../src/config/load-relay.ts'
import { Failure } from '../../../src/core/failure.ts'

const BUILD = { provider: 'none', label: 'none' } as unknown as Parameters<typeof loadRelayConfig>[1]['build']

function addressOf(env: Readonly<Record<string, string>>): string {
  const readFile = (): string => assert.fail('no file is read')
  const { host, port } = loadRelayConfig(gather({ options: {}, env, readFile }), { env, build: BUILD })
  return `${host} ${port}`
}

test('brackets around an IPv6 address are taken off', () => {
  assert.equal(addressOf({ PAGERDUTY_RELAY_HOST: '[::1]' }), '::1 8080')
  assert.equal(addressOf({ PAGERDUTY_RELAY_HOST: '::' }), ':: 8080')
})

test('what Kubernetes and Docker set for a service called pagerduty-relay is not a port', () => {
  for (const text of ['tcp://10.96.12.3:8080', 'udp://172.17.0.2:9000', 'tcp://[fd00::1]:80'])
    assert.equal(addressOf({ PAGERDUTY_RELAY_PORT: text }), '127.0.0.1 8080')
  for (const text of ['http://10.0.0.1:80', '65536', 'tcp'])
    assert.throws(() => addressOf({ PAGERDUTY_RELAY_PORT: text }), Failure)
})
