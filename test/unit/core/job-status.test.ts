import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JOB_STATUS_WORDS, parseJobStatus } from '../../../src/core/job-status.ts'

const WORDS = {
  success: [
    'success',
    'SUCCESS',
    'Succeeded',
    'passed',
    'SucceededWithIssues',
    'succeeded-with-issues',
    ' success ',
  ],
  failure: [
    'failure',
    'FAILURE',
    'UNSTABLE',
    'errored',
    'timed_out',
    'TimedOut',
    'Abandoned',
    'infrastructure_failure',
  ],
  cancelled: ['cancelled', 'canceled', 'ABORTED', 'stopped', 'killed', 'Superseded'],
  skipped: ['skipped', 'NOT_BUILT', 'not run'],
} as const

for (const [outcome, words] of Object.entries(WORDS)) {
  for (const word of words) {
    test(`a job that is ${JSON.stringify(word)} is a ${outcome}`, () => {
      assert.deepEqual(parseJobStatus(word), { outcome, isKnown: true })
    })
  }
}

for (const [text, outcome, exitCode] of [
  ['0', 'success', 0],
  ['000', 'success', 0],
  ['1', 'failure', 1],
  ['007', 'failure', 7],
  ['255', 'failure', 255],
  ['256', 'failure', 256],
  ['-1', 'failure', -1],
  ['-0', 'success', 0],
  ['3221225786', 'failure', 3_221_225_786],
] as const) {
  test(`a job that ended with ${text} is a ${outcome}`, () => {
    assert.deepEqual(parseJobStatus(text), { outcome, exitCode, isKnown: true })
  })
}

test('a word that no CI is known to use is a failure, and said to be unknown', () => {
  for (const text of ['wat', 'constructor', '__proto__', '1e3', '0x0', '12345678901', '1 2', 'true false']) {
    assert.deepEqual(parseJobStatus(text), { outcome: 'failure', isKnown: false }, text)
  }
})

test('no word means two things', () => {
  const words = Object.values(JOB_STATUS_WORDS).flat()
  assert.equal(new Set(words).size, words.length)
})
