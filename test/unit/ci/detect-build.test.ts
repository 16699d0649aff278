import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { detectBuild } from '../../../src/ci/detect-build.ts'
import { withRepositoryUrl } from '../../../src/ci/repository-url.ts'
import type { Build } from '../../../src/core/build.ts'

type Case = readonly [env: Record<string, string>, expected: Omit<Build, 'origins'>]

/** The build as the program uses it, without where it came from. */
function detected(env: Record<string, string>): Omit<Build, 'origins'> {
  const { origins, ...fields } = withRepositoryUrl(detectBuild(env), undefined)
  assert.deepEqual(
    Object.keys(origins).toSorted(),
    Object.keys(fields).toSorted(),
    'every field has an origin',
  )
  return fields
}

for (const file of globSync('test/fixtures/ci/*.json').toSorted()) {
  const cases = JSON.parse(readFileSync(file, 'utf8')) as readonly Case[]
  for (const [index, [env, expected]] of cases.entries()) {
    test(`${basename(file, '.json')}, environment ${index + 1}, is read as what a person would say of it`, () => {
      assert.deepEqual(detected(env), expected)
    })
  }
}

test('outside any CI nothing is known and nothing fails', () => {
  assert.deepEqual(detectBuild({}), { origins: {} })
  assert.deepEqual(detectBuild({ CI: 'true', PATH: '/bin', HOME: '/' }), { origins: {} })
})
