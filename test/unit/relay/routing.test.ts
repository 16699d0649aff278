import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRoutingKeys } from '../../../src/core/routing-key.ts'
import { routeEvent } from '../../../src/relay/routing.ts'

const SERVICE = '0123456789abcdef0123456789abcdef'
const ORCHESTRATION = `R${'0'.repeat(31)}`
const KEYS = parseRoutingKeys(`web=${SERVICE},all=${ORCHESTRATION}`)

function namesOf(kind: 'alert' | 'change', given?: string): unknown {
  const routing = routeEvent(kind, given, KEYS)
  return 'problem' in routing
    ? routing.problem
    : routing.keys.map((key) => (key.kind === 'own' ? 'own' : key.name))
}

test('an alert goes to every key, a change event to those that take one', () => {
  assert.deepEqual(namesOf('alert'), ['web', 'all'])
  assert.deepEqual(namesOf('change'), ['web'])
})

test('a caller’s key is alone, whatever the relay has', () => {
  assert.deepEqual(namesOf('alert', ` ${SERVICE} `), ['own'])
})

test('several keys, or one with an alias, are not a routing key', () => {
  assert.match(String(namesOf('alert', `${SERVICE},${SERVICE}`)), /incorrect/)
  assert.match(String(namesOf('alert', `web=${SERVICE}`)), /incorrect/)
})
