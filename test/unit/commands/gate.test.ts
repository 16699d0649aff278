import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rollbackReason } from '../../../src/commands/gate.ts'

const CASES: [string | undefined, boolean | undefined, string | undefined][] = [
  ['Revert "Charge once"\n\nThis reverts commit 5f0c1d2.', undefined, 'its commit is a revert'],
  ['\nRevert "x"', undefined, 'its commit is a revert'],
  ['Revert "Revert "Charge once""', undefined, undefined],
  ['Reapply "Charge once"', undefined, undefined],
  ['Revert the colour of the button', undefined, undefined],
  ['Fix\n\nRevert "x"', undefined, undefined],
  [undefined, undefined, undefined],
  ['Fix', true, 'PAGERDUTY_ROLLBACK says so'],
  ['Revert "x"', false, undefined],
]
for (const [commitMessage, said, reason] of CASES) {
  test(`${JSON.stringify(commitMessage)} with PAGERDUTY_ROLLBACK=${said} is ${reason ?? 'no rollback'}`, () => {
    assert.equal(
      rollbackReason({ ...(commitMessage !== undefined && { commitMessage }), origins: {} }, said),
      reason,
    )
  })
}
