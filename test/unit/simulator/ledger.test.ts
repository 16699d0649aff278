import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AlertEvent } from '../../../tools/simulator/judge.ts'
import { createLedger } from '../../../tools/simulator/ledger.ts'

const KEY = '0123456789abcdef0123456789abcdef'
const event = (event_action: AlertEvent['event_action'], summary = 's', dedup_key = 'k'): AlertEvent => ({
  routing_key: KEY,
  event_action,
  dedup_key,
  payload: { summary, source: 'ci', severity: 'error' },
})

test('an alert is opened, updated, acknowledged and resolved, and keeps its first title', () => {
  const ledger = createLedger()
  const effects = [
    event('trigger', 'first'),
    event('acknowledge'),
    event('trigger', 'second'),
    event('resolve'),
  ].map((each) => ledger.addAlert(each).effect)
  assert.deepEqual(effects, ['opened', 'acknowledged', 'updated', 'resolved'])
  assert.equal(ledger.alerts.length, 1)
  const [alert] = ledger.alerts
  assert.equal(alert?.status, 'resolved')
  assert.equal(alert.triggers, 2)
  assert.equal(alert.title, 'first')
  assert.equal(alert.event.payload?.summary, 'second')
})

test('a trigger leaves an acknowledged alert acknowledged', () => {
  const ledger = createLedger()
  for (const each of [event('trigger'), event('acknowledge'), event('trigger')]) ledger.addAlert(each)
  assert.equal(ledger.alerts[0]?.status, 'acknowledged')
})

test('after a resolve, a trigger opens a new alert and the rest is dropped', () => {
  const ledger = createLedger()
  const actions = ['trigger', 'resolve', 'resolve', 'acknowledge', 'trigger'] as const
  const effects = actions.map((action) => ledger.addAlert(event(action)).effect)
  assert.deepEqual(effects, ['opened', 'resolved', 'dropped', 'dropped', 'opened'])
  assert.deepEqual(
    ledger.alerts.map(({ status }) => status),
    ['resolved', 'triggered'],
  )
})

test('an alert is only found by its own routing key and by its exact dedup key', () => {
  const ledger = createLedger()
  ledger.addAlert(event('trigger'))
  assert.equal(ledger.addAlert({ ...event('resolve'), routing_key: KEY.replace('0', '1') }).effect, 'dropped')
  assert.equal(ledger.addAlert(event('resolve', 's', 'K')).effect, 'dropped')
  assert.equal(ledger.alerts[0]?.status, 'triggered')
})

test('every trigger without a dedup key is given a new one', () => {
  const ledger = createLedger()
  const { dedup_key: _, ...keyless } = event('trigger')
  const keys = [keyless, keyless, event('trigger', 's', '')].map((each) => ledger.addAlert(each).dedupKey)
  for (const key of keys) assert.match(key, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  assert.equal(new Set(keys).size, 3)
})
