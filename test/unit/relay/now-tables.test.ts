import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nowTables, type Now } from '../../../src/relay/now-tables.ts'

const AT = Date.parse('2026-03-01T12:00:00Z')
const EVENT = {
  id: 1,
  kind: 'alert',
  key: { kind: 'configured', name: 'relay' },
  status: 'dead',
  attempts: 1,
  acceptedAtMs: AT,
} as const
const QUIET: Now = { headline: { state: 'ok', text: 'All is well' }, atMs: AT, events: [], deployments: [] }

test('without a script the page says how things stand, and when that was', () => {
  const html = nowTables({
    ...QUIET,
    headline: { state: 'dead', text: '1 event is dead' },
    events: [{ ...EVENT, summary: 'Disk is full', reason: '400: Invalid routing key' }],
    deployments: [
      {
        id: 2,
        identity: 'deploy/acme/shop/production',
        state: 'failure',
        repository: 'acme/shop',
        environment: 'production',
        commit: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
        committer: 'Jane Doe',
        message: 'Charge cards once',
        endedAtMs: AT,
        eventIds: [],
        told: 'waiting',
      },
    ],
  })
  for (const text of [
    '<p class="big sign bad">1 event is dead</p>',
    'As of <time datetime="2026-03-01T12:00:00.000Z">2026-03-01 12:00 UTC</time>',
    '<th scope="row">Disk is full</th>',
    '<td data-label="Last answer">400: Invalid routing key</td>',
    '<th scope="row">acme/shop@5f0c1d2<small>Charge cards once · by Jane Doe</small></th>',
    '<span class="sign bad">failed</span>',
    '<span class="sign wait">waiting</span>',
  ])
    assert.ok(html.includes(text), text)
})

test('a table without rows is not there', () => {
  assert.doesNotMatch(nowTables(QUIET), /<table>/)
})

test('what comes from outside is text, wherever it stands', () => {
  const hostile = `</noscript><script>alert(1)</script>"'&<img src=x onerror=alert(1)>`
  const html = nowTables({
    ...QUIET,
    headline: { state: 'waiting', text: hostile },
    events: [{ ...EVENT, summary: hostile, reason: hostile }],
    deployments: [
      {
        id: 3,
        identity: hostile,
        state: 'started',
        environment: hostile,
        message: hostile,
        committer: hostile,
        commit: hostile,
        startedAtMs: Number.NaN,
        eventIds: [],
      },
    ],
  })
  assert.doesNotMatch(html, /<script|<img|<\/noscript/)
  assert.equal(html.split('&lt;script&gt;alert(1)&lt;/script&gt;&quot;').length, 9)
})
