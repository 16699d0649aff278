import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normalizeRefs, parseRef, type Ref } from '../../../src/ci/normalize-ref.ts'

const REFS: readonly (readonly [name: string, ref: Ref])[] = [
  ['main', { branch: 'main' }],
  ['feature/checkout', { branch: 'feature/checkout' }],
  ['refs/heads/feature/checkout', { branch: 'feature/checkout' }],
  ['heads/main', { branch: 'main' }],
  ['refs/remotes/origin/main', { branch: 'main' }],
  ['remotes/upstream/feature/a', { branch: 'feature/a' }],
  ['refs/tags/v1.2.3', { branch: 'v1.2.3', tag: 'v1.2.3' }],
  ['tags/v1.2.3', { branch: 'v1.2.3', tag: 'v1.2.3' }],
  ['refs/tags/release/2026-03', { branch: 'release/2026-03', tag: 'release/2026-03' }],
  ['HEAD', {}],
  ['head', {}],
  ['refs/HEAD', {}],
  ['refs/remotes/origin/HEAD', {}],
  ['detached', {}],
  ['(no branch)', {}],
  ['(HEAD detached at 5f0c1d2)', {}],
  ['(detached from 5f0c1d2)', {}],
  ['HEAD detached at 5f0c1d2', {}],
  ['refs/pull/12/merge', { pullRequest: '12' }],
  ['refs/pull/12/head', { pullRequest: '12' }],
  ['refs/remotes/pull/12/merge', { pullRequest: '12' }],
  ['pull/12', { pullRequest: '12' }],
  ['pull/12/head', { pullRequest: '12' }],
  ['12/merge', { pullRequest: '12' }],
  ['pr/12', { pullRequest: '12' }],
  ['origin/pr/12/merge', { pullRequest: '12' }],
  ['refs/remotes/origin/pr/12/merge', { pullRequest: '12' }],
  ['refs/pull-requests/12/from', { pullRequest: '12' }],
  ['refs/pull-requests/12/merge', { pullRequest: '12' }],
  ['refs/merge-requests/12/head', { pullRequest: '12' }],
  ['refs/merge-requests/12/train', { pullRequest: '12' }],
  ['merge-requests/12/merge', { pullRequest: '12' }],
  ['PR-12', { pullRequest: '12' }],
  ['MR-12-merge', { pullRequest: '12' }],
  ['refs/changes/34/1234/2', { pullRequest: '1234' }],
  [
    'gh-readonly-queue/main/pr-12-5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
    { branch: 'main', pullRequest: '12' },
  ],
  ['refs/heads/gh-readonly-queue/release/2.x/pr-7-5f0c1d2e', { branch: 'release/2.x', pullRequest: '7' }],
  ['trunk-merge/pr-12/0b9c8d7e', { pullRequest: '12' }],
  ['mergify/merge-queue/0b9c8d7e', {}],
  ['gtmq_spec_0b9c8d7e', {}],
  // Branches that only look like one of the above.
  ['headless', { branch: 'headless' }],
  ['HEADER', { branch: 'HEADER' }],
  ['detached-mode', { branch: 'detached-mode' }],
  ['pull', { branch: 'pull' }],
  ['pull/request', { branch: 'pull/request' }],
  ['12/merges', { branch: '12/merges' }],
  ['PR-12-fix', { branch: 'PR-12-fix' }],
  ['gh-readonly-queue', { branch: 'gh-readonly-queue' }],
  ['origin/main', { branch: 'origin/main' }],
  ['refs/heads/', {}],
  ['refs/tags/', {}],
]

for (const [name, ref] of REFS) {
  test(`the ref ${name} is ${JSON.stringify(ref)}`, () => {
    assert.deepEqual(parseRef(name), ref)
  })
}

test('the environment of a build is never a ref that no later build has', () => {
  const build = { branch: 'refs/pull/12/merge', repository: 'acme/shop', origins: { branch: 'CI_BRANCH' } }
  assert.deepEqual(normalizeRefs(build), {
    repository: 'acme/shop',
    pullRequest: '12',
    origins: { pullRequest: 'CI_BRANCH' },
  })
})

test('a pull request that the CI names wins over the number in the ref', () => {
  const build = { branch: '7/merge', pullRequest: '12', origins: { branch: 'A', pullRequest: 'B' } }
  assert.deepEqual(normalizeRefs(build), { pullRequest: '12', origins: { pullRequest: 'B' } })
})

test('a tag in its own variable is a tag in any form, and replaces a detached branch', () => {
  const build = { branch: 'HEAD', tag: 'refs/tags/v1', origins: { branch: 'A', tag: 'B' } }
  assert.deepEqual(normalizeRefs(build), { branch: 'v1', tag: 'v1', origins: { branch: 'A', tag: 'B' } })
})

test('a build without refs stays as it is', () => {
  assert.deepEqual(normalizeRefs({ commit: 'a', origins: { commit: 'A' } }), {
    commit: 'a',
    origins: { commit: 'A' },
  })
})
