import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCommit } from '../../../src/ci/detect-build.ts'

const MERGES: readonly (readonly [string, string | undefined])[] = [
  ['Merge pull request #12 from acme/checkout\n\nFix the checkout', '12'],
  ['Merged in checkout (pull request #12)\n\nFix the checkout', '12'],
  ['Pull request #12: Fix the checkout', '12'],
  ['Merged PR 12: Fix the checkout', '12'],
  ["Merge branch 'checkout' into 'main'\n\nFix the checkout\n\nSee merge request acme/web/shop!12", '12'],
  ["Merge branch 'checkout' into 'main'\n\nFix the checkout\n\nSee merge request !12", '12'],
  ['Fix the checkout (#12)', '12'],
  ['Fix the checkout (#12)\n\n* It charged twice (#9)', '12'],
  ['Fix the checkout, see #12', undefined],
  ['Fix the checkout\n\nCloses (#12)', undefined],
  ['Revert "Fix the checkout (#12)"', undefined],
  ["Merge branch 'main' into checkout", undefined],
]
for (const [commitMessage, pullRequest] of MERGES) {
  test(`${JSON.stringify(commitMessage)} merged ${pullRequest ?? 'no pull request'}`, () => {
    const read = readCommit({ commitMessage, origins: { commitMessage: 'CI_MESSAGE' } })
    assert.deepEqual([read.pullRequest, read.origins.pullRequest], [pullRequest, pullRequest && 'CI_MESSAGE'])
  })
}

const DESCRIPTIONS: readonly (readonly [string, string | undefined])[] = [
  ['v1.4.2-3-g5f0c1d2', 'v1.4.2'],
  ['release-2026-01-31-12-gabcdef0', 'release-2026-01-31'],
  ['v1.4.2', undefined], // the commit has the tag itself
  ['5f0c1d2', undefined], // nothing has a tag
  ['v1.0-3-5f0c1d2e3a4b', undefined], // Mercurial's
]
for (const [commitDescription, base] of DESCRIPTIONS) {
  test(`the last tag before ${commitDescription} is ${base ?? 'not known'}`, () => {
    assert.equal(readCommit({ commitDescription, origins: {} }).base, base)
  })
}
