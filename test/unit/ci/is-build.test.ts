import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { detectBuild, isBuild } from '../../../src/ci/detect-build.ts'
import { readFixture } from '../../support/ci-fixtures.ts'

const noFile = (): string => ''
async function looksLikeBuild(env: Readonly<Record<string, string>>): Promise<boolean> {
  return isBuild(env, await detectBuild(env, noFile))
}

const BUILDS: Readonly<Record<string, Record<string, string>>> = {
  'CI=true alone': { CI: 'true' },
  'CI=1 alone': { CI: '1' },
  'one of Codeship’s variables': { CI_COMMIT_ID: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9' },
}
for (const [what, env] of Object.entries(BUILDS))
  test(`${what} makes it a build`, async () => assert.equal(await looksLikeBuild(env), true))

const CAPTURED = readdirSync(new URL('../../fixtures/ci/', import.meta.url)).map((file) =>
  basename(file, '.json'),
)
for (const name of CAPTURED)
  test(`the captured environment of ${name} is a build’s, with or without CI`, async () => {
    const [{ CI: _, ...env }] = readFixture(name)[0]!
    assert.equal(await looksLikeBuild(env), true)
  })

const LAPTOPS: Readonly<Record<string, Record<string, string>>> = {
  'an ordinary environment': { HOME: '/home/jane', USER: 'jane', TERM: 'xterm', PAGERDUTY_TOKEN: 'x' },
  'CI=false': { CI: 'false' },
  'CI=0': { CI: '0' },
  'a blank CI': { CI: '' },
}
for (const [what, env] of Object.entries(LAPTOPS))
  test(`${what} is not a build`, async () => assert.equal(await looksLikeBuild(env), false))
