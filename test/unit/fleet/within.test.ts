import assert from 'node:assert/strict'
import { test } from 'node:test'
import { within } from '../../../src/fleet/within.ts'

const NEVER = new Promise<never>(() => undefined)
const HOUR_MS = 3_600_000

test('a signal ends the wait, also one that came before', async () => {
  const signal = new AbortController()
  const waiting = within(HOUR_MS, NEVER, signal.signal)
  signal.abort()
  await assert.rejects(waiting, { kind: 'undelivered', message: 'interrupted' })
  await assert.rejects(within(HOUR_MS, NEVER, signal.signal), { message: 'interrupted' })
})

test('what takes too long is an error that says how long it was waited for', async () => {
  await assert.rejects(within(1, NEVER), { message: 'the fleet did not answer within 0.001 s' })
  assert.equal(await within(HOUR_MS, Promise.resolve('answer')), 'answer')
})
