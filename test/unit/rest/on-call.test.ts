import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeOnCalls, personName } from '../../../src/rest/on-call.ts'
import type { OnCall } from '../../../src/rest/resources.ts'

/** A Friday. */
const NOW_MS = Date.parse('2026-02-27T12:00:00Z')

function onCall(name: string, level?: number, end?: string): OnCall {
  return { escalation_level: level, user: { id: `P${name.toUpperCase()}`, summary: name }, end }
}

const WORDS: [string, OnCall[], string | undefined][] = [
  ['nobody', [], undefined],
  ['somebody who always is', [onCall('Jane Doe', 1)], 'Jane Doe'],
  ['a shift until Monday', [onCall('Jane Doe', 1, '2026-03-02T09:00:00Z')], 'Jane Doe until Mon 09:00 UTC'],
  [
    'a shift in the zone of the account',
    [onCall('Jane Doe', 1, '2026-03-02T00:30:00.000-05:00')],
    'Jane Doe until Mon 00:30 UTC-05:00',
  ],
  [
    'a shift of a fortnight',
    [onCall('Jane Doe', 1, '2026-03-13T09:00:00+00:00')],
    'Jane Doe until 13 Mar 2026 09:00 UTC',
  ],
  ['an end that cannot be read', [onCall('Jane Doe', 1, 'soon')], 'Jane Doe'],
  ['an end on no day', [onCall('Jane Doe', 1, '2026-99-02T09:00:00Z')], 'Jane Doe'],
  ['no level', [onCall('Jane Doe')], 'Jane Doe'],
  [
    'two people on one level',
    [onCall('Jane Doe', 1, '2026-03-02T09:00:00Z'), onCall('John Roe', 1)],
    'Jane Doe until Mon 09:00 UTC and John Roe',
  ],
  [
    'several levels in any order',
    [onCall('Bob', 3), onCall('Ann', 2), onCall('Jane', 1), onCall('Cid', 4)],
    'Jane; escalates to Ann, then Bob',
  ],
  ['only a later level', [onCall('Ann', 2)], 'Ann'],
  [
    'one person on several levels and schedules',
    [
      onCall('Jane', 2),
      onCall('Jane', 1, '2026-02-28T09:00:00Z'),
      onCall('Jane', 1, '2026-03-02T09:00:00Z'),
      onCall('Ann', 2),
    ],
    'Jane until Mon 09:00 UTC; escalates to Ann',
  ],
  [
    'a whole department',
    ['Ann', 'Bob', 'Cid', 'Dan', 'Eve', 'Flo'].map((name) => onCall(name, 1)),
    'Ann, Bob, Cid, Dan and 2 others',
  ],
]
for (const [what, onCalls, words] of WORDS) {
  test(`${what}: ${words}`, () => assert.equal(describeOnCalls(onCalls, NOW_MS), words))
}

for (const summary of [
  'jane@example.com',
  'Jane <jane@example.com>',
  '+1 (555) 010-0199',
  '٠١٢٣٤٥٦٧',
  ' ',
  undefined,
]) {
  test(`a user named ${JSON.stringify(summary)} is named by id`, () => {
    assert.equal(personName({ id: 'PJANE', summary }), 'user PJANE')
    assert.equal(personName({ summary }), 'somebody')
  })
}

test('a name stays on one line, and is cut', () => {
  assert.equal(personName({ summary: 'Jane\n\u001b[31mDoe' }).includes('\n'), false)
  assert.equal(personName({ summary: 'x'.repeat(500) }).length, 80)
})
