import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'

interface Step {
  readonly uses?: string
  readonly run?: string
}
interface Workflow {
  readonly permissions: unknown
  readonly jobs: Readonly<
    Record<string, { readonly 'timeout-minutes'?: number; readonly steps: readonly Step[] }>
  >
}

const DIRECTORY = new URL('../../.github/workflows/', import.meta.url)
for (const name of readdirSync(DIRECTORY)) {
  const workflow = parse(readFileSync(new URL(name, DIRECTORY), 'utf8')) as Workflow
  const jobs = Object.values(workflow.jobs)
  const steps = jobs.flatMap((job) => job.steps)

  test(`${name}: a job may read the code and nothing else unless it says so`, () => {
    assert.deepEqual(workflow.permissions, { contents: 'read' })
    assert.ok(jobs.every((job) => job['timeout-minutes'] !== undefined))
  })
  test(`${name}: actions are pinned to a commit`, () => {
    const loose = steps.flatMap(({ uses }) =>
      uses === undefined || /@[0-9a-f]{40}$/.test(uses) ? [] : [uses],
    )
    assert.deepEqual(loose, [])
  })
  test(`${name}: no expression is pasted into a shell`, () => {
    assert.deepEqual(
      steps.filter(({ run }) => run?.includes('${{')),
      [],
    )
  })
}

for (const name of ['ci.yml', 'release.yml']) {
  test(`${name}: the tests are those of .ci/run, which lets none be skipped`, () => {
    const { jobs } = parse(readFileSync(new URL(name, DIRECTORY), 'utf8')) as Workflow
    const commands = jobs['test']?.steps.map(({ run }) => run) ?? []
    assert.ok(commands.includes('sudo env "PATH=$PATH" bash .ci/run'))
    assert.match(readFileSync(new URL('../../.ci/run', DIRECTORY), 'utf8'), /^export REQUIRE_ALL=1$/m)
  })
}
