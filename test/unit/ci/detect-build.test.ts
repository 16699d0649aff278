import assert from 'node:assert/strict'
import childProcess from 'node:child_process'
import fs, { globSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { detectBuild } from '../../../src/ci/detect-build.ts'
import { withRepositoryUrl } from '../../../src/ci/repository-url.ts'
import type { Build } from '../../../src/core/build.ts'
import { readFixture, type CiCase } from '../../support/ci-fixtures.ts'

const nothing = (path: string): string => assert.fail(`${path} was read`)

/** The build as the program uses it. */
async function detected([env, , event]: CiCase): Promise<Build> {
  const readFile = event === undefined ? nothing : () => JSON.stringify(event)
  return withRepositoryUrl(await detectBuild(env, readFile), undefined)
}

const CASES = globSync('test/fixtures/ci/*.json')
  .toSorted()
  .flatMap((file) =>
    readFixture(basename(file, '.json')).map(
      (one, index) => [`${basename(file, '.json')}, ${index + 1}`, one] as const,
    ),
  )

for (const [name, one] of CASES) {
  test(`environment ${name}: is read as a person would say it`, async () => {
    const { origins, ...fields } = await detected(one)
    assert.deepEqual(fields, one[1])
    assert.deepEqual(
      Object.keys(origins).toSorted(),
      Object.keys(fields).toSorted(),
      'every field has an origin',
    )
  })
}

test('outside any CI nothing is known and nothing fails', async () => {
  for (const env of [{}, { CI: 'true', PATH: '/bin', HOME: '/' }, { CI: '1', CI_NAME: '' }]) {
    assert.deepEqual(await detectBuild(env, nothing), { origins: {} })
  }
})

test('no environment makes it start a program or read a file that is not injected', async (t) => {
  // `env-ci` starts Git with what is on this object.
  for (const name of ['spawn', 'spawnSync', 'execFile', 'execFileSync'] as const) {
    t.mock.method(childProcess, name, () => assert.fail(`${name} was called`))
  }
  const read = t.mock.method(fs, 'readFileSync', () => assert.fail('a file was read'))
  for (const [, [env]] of CASES) await detectBuild(env, () => '{}')
  assert.equal(read.mock.callCount(), 0)
})

test('an event file that is missing, cut off or no object says nothing, and nothing fails', async () => {
  const env = { GITHUB_ACTIONS: 'true', GITHUB_EVENT_PATH: '/event.json', GITHUB_SHA: 'a1b2c3d4' }
  const missing = (): string => {
    throw new Error('ENOENT')
  }
  for (const readFile of [
    missing,
    ...['', '{"head_commit"', 'null', '[]', '"x"'].map((text) => () => text),
  ]) {
    const { ci, commit, commitMessage } = await detectBuild(env, readFile)
    assert.deepEqual([ci, commit, commitMessage], ['GitHub Actions', 'a1b2c3d4', undefined])
  }
})

const HOSTILE = [
  '',
  ' ',
  '0',
  'false',
  'undefined',
  'null',
  '0'.repeat(40),
  '${CI_BRANCH}',
  '__proto__',
  '\u0000',
  '\ud800',
  'https://',
  'https://user:secret@example.com/a/b',
  'git@host.example:',
  '%',
  'https://example.com/%zz/%',
  'refs/tags/',
  'x'.repeat(3000),
]

test('whatever the variables hold, every field is a text that says something, and links are links', async () => {
  const names = [...new Set(CASES.flatMap(([, [env]]) => Object.keys(env)))]
  const environment = fc.dictionary(
    fc.constantFrom(...names),
    fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary' }), fc.webUrl()),
    { maxKeys: 25 },
  )
  await fc.assert(
    fc.asyncProperty(environment, fc.json(), async (env, event) => {
      const {
        origins,
        approved: _,
        ...texts
      } = withRepositoryUrl(await detectBuild(env, () => event), undefined)
      for (const [field, text] of Object.entries(texts)) {
        assert.equal(text, text.trim(), field)
        assert.doesNotMatch(text, /^(?:0*|false|undefined|null)$/i, field)
        assert.ok(Object.hasOwn(origins, field), field)
        if (field.endsWith('Url')) {
          const { protocol, username, password } = new URL(text)
          assert.match(protocol, /^https?:$/)
          assert.equal(username + password, '')
        }
      }
    }),
    { numRuns: 2_000, examples: [[{ DRONE: 'true', DRONE_REPO_LINK: 'http://a.example' }, '{}']] },
  )
})
