import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Failure } from '../../../src/core/failure.ts'
import { planBuild } from '../../../tools/codeship/plan.ts'
import { readProject } from '../../../tools/codeship/project.ts'

/*
 * Shapes of files that people have: each folder holds the two files, the tag that is built, and what a build of it runs,
 * or why it cannot.
 */

const SHAPES = join(import.meta.dirname, '../../fixtures/codeship')

/** The plan of a folder as `plan` there has it: the notices, then the steps or the mistake. */
function planOf(folder: string): string {
  const project = readProject(folder)
  const notices = project.notices.map((notice) => `notice: ${notice}`)
  const tag = readFileSync(join(folder, 'tag'), 'utf8').trim()
  try {
    return [...notices, ...planBuild(project, { tag, approved: false })].join('\n')
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return [...notices, `refused: ${error.message}`].join('\n')
  }
}

test('there are shapes to try', () => {
  assert.ok(readdirSync(SHAPES).length >= 20)
})

for (const name of readdirSync(SHAPES)) {
  test(`a build of ${name.replaceAll('-', ' ')} runs what it needs`, () => {
    const folder = join(SHAPES, name)
    assert.equal(planOf(folder), readFileSync(join(folder, 'plan'), 'utf8').trimEnd())
  })
}
