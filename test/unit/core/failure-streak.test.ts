import type { DeploymentState } from '../../../src/core/deployment-state.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countFailures, describeStreak, isPaging } from '../../../src/core/failure-streak.ts'

const HISTORIES: [string, DeploymentState[], number][] = [
  ['nothing', [], 0],
  ['failures alone', ['failure', 'failure'], 2],
  ['failures after a success', ['failure', 'failure', 'success', 'failure'], 2],
  ['a success at the end', ['success', 'failure'], 0],
  ['failures with a cancelled deployment between them', ['failure', 'cancelled', 'failure', 'success'], 2],
  ['failures while others still run', ['started', 'failure', 'started', 'failure'], 2],
]
for (const [name, latestFirst, count] of HISTORIES) {
  test(`${name}: ${count} in a row`, () => {
    assert.equal(countFailures(latestFirst), count)
  })
}

test('failures before the Nth page nobody, the Nth and later ones do', () => {
  const paging = [1, 2, 3, 4].map((failures) => isPaging({ failures, pagesAt: 3 }))
  assert.deepEqual(paging, [false, false, true, true])
})

test('a failure that pages nobody says which one it is', () => {
  const said = (failures: number): string => describeStreak({ failures, pagesAt: 50 })
  assert.equal(describeStreak({ failures: 1, pagesAt: 3 }), '1st of 3 before somebody is paged')
  const ordinals = [2, 3, 4, 11, 12, 13, 21, 22, 23, 24].map((number) => said(number).split(' ')[0])
  assert.deepEqual(ordinals, ['2nd', '3rd', '4th', '11th', '12th', '13th', '21st', '22nd', '23rd', '24th'])
})
