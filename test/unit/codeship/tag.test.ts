import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchesTag, whyLeftOut, type TagFilter } from '../../../tools/codeship/tag.ts'

const MATCHES: [string, string, boolean][] = [
  ['master', 'master', true],
  ['master', 'master-rebase', false],
  ['master', 'Master', false],
  ['feature/x', 'feature/x', true],
  ['^(master|staging)', 'master-rebase', true],
  ['^(master|staging)$', 'master-rebase', false],
  ['^(master|staging)$', 'staging', true],
  ['\\.hotfix$', 'v1.hotfix', true],
  [String.raw`^v\d+\.\d+`, 'v1.10.0', true],
  ['(?i)^MASTER$', 'master', true], // Go's inline flag
  [String.raw`(\d+(\.\d+)+)`, '1.2.3', false], // no anchor, so a name like any other
  ['master|staging', 'staging', false],
  ['^(?!master)', 'feature/x', false], // RE2 has no look-ahead; it never matches
  ['^(', 'anything', false],
  ['cost$', 'cost$', true], // a name, before it is an expression
]
for (const [pattern, tag, expected] of MATCHES) {
  test(`${pattern} ${expected ? 'takes' : 'does not take'} ${tag}`, () => {
    assert.equal(matchesTag(pattern, tag), expected)
  })
}

const FILTERS: [TagFilter, string, string | undefined][] = [
  [{}, 'anything', undefined],
  [{ tag: 'master' }, 'master', undefined],
  [{ tag: 'master' }, 'feature/x', 'it is for master'],
  [{ exclude: '^feature/' }, 'feature/x', 'it excludes ^feature/'],
  [{ exclude: '^feature/' }, 'master', undefined],
  [{ tag: 'master', exclude: 'master' }, 'master', 'it excludes master'],
]
for (const [filter, tag, expected] of FILTERS) {
  test(`${JSON.stringify(filter)} on ${tag}: ${expected ?? 'it runs'}`, () => {
    assert.equal(whyLeftOut(filter, tag), expected)
  })
}
