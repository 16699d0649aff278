import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { codeshipVariables, readCommit } from '../../../tools/codeship/variables.ts'
import { CODESHIP_PRO } from '../../support/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'codeship-'))
after(() => rmSync(folder, { recursive: true }))

test('a build has the variables of Codeship Pro, the same as elsewhere in these tests', async () => {
  const variables = codeshipVariables(await readCommit(folder), false)
  assert.deepEqual(Object.keys(variables).toSorted(), Object.keys(CODESHIP_PRO).toSorted())
  for (const name of ['CI', 'CI_NAME', 'CI_BUILD_APPROVED', 'CI_PR_NUMBER', 'CI_PULL_REQUEST'])
    assert.equal(variables[name], CODESHIP_PRO[name])
  assert.match(variables['CI_STRING_TIME'] ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/)
  assert.equal(Date.parse(variables['CI_STRING_TIME'] ?? ''), Number(variables['CI_TIMESTAMP']) * 1000)
})

test('two builds of one commit differ in their build id only', async () => {
  const commit = await readCommit(folder)
  const [one, two] = [codeshipVariables(commit, true), codeshipVariables(commit, true)]
  assert.notEqual(one['CI_BUILD_ID'], two['CI_BUILD_ID'])
  assert.equal(one['CI_PROJECT_ID'], two['CI_PROJECT_ID'])
  assert.equal(one['CI_BUILD_APPROVED'], 'true')
})
