import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Build } from '../../../src/core/build.ts'
import { identify, type Identity } from '../../../src/core/identity.ts'

const BUILD: Build = {
  repository: 'acme/shop',
  branch: 'main',
  commit: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
  buildId: '42',
  origins: { repository: 'CI_REPO_NAME', branch: 'CI_BRANCH' },
}
const given = (value: string): { value: string; origin: string } => ({ value, origin: 'test' })

interface Subject {
  readonly build?: Partial<Build>
  readonly environment?: string
  readonly step?: string
}

function identityOf({ build, environment, step }: Subject = {}): Identity {
  const choices = {
    environment: environment === undefined ? undefined : given(environment),
    step: step === undefined ? undefined : given(step),
  }
  return identify(choices, { ...BUILD, ...build }, 'host-1')
}
const keyOf = (subject?: Subject): string | undefined => identityOf(subject).dedupKey?.value

const SAME: readonly (readonly [string, Partial<Build>])[] = [
  ['another build', { buildId: '43', buildUrl: 'https://ci.example/43', jobUrl: 'https://ci.example/43/1' }],
  ['a re-run of the same build', { buildUrl: 'https://ci.example/42/attempts/2' }],
  ['another commit', { commit: 'f'.repeat(40), commitMessage: 'Another', committer: 'John' }],
  ['a manual approval', { approved: true }],
  ['a merge', { pullRequest: '12', pullRequestUrl: 'https://github.com/acme/shop/pull/12' }],
  ['another job, or another CI', { ci: 'Buildkite', job: 'deploy-2', projectId: 'p' }],
]
for (const [what, build] of SAME) {
  test(`${what} meets the same alert`, () => assert.equal(keyOf({ build }), keyOf()))
}

const DIFFERENT: readonly (readonly [string, Subject])[] = [
  ['another repository', { build: { repository: 'acme/api' } }],
  ['another owner', { build: { repository: 'other/shop' } }],
  ['another environment', { environment: 'production' }],
  ['another branch, if no environment is named', { build: { branch: 'release' } }],
  ['an environment that the CI names', { build: { environment: 'staging' } }],
  ['a step', { step: 'migrate' }],
  ['another step', { step: 'restart' }],
  ['a step in another environment', { step: 'migrate', environment: 'production' }],
]
test('other repositories, environments and steps are other alerts, all of them', () => {
  const keys = [keyOf(), ...DIFFERENT.map(([, subject]) => keyOf(subject))]
  assert.equal(new Set(keys).size, keys.length)
})

test('names keep their slashes, so that only steps without any are told from environments', () => {
  assert.equal(keyOf({ environment: 'eu', step: 'web' }), keyOf({ environment: 'eu/web' }))
  assert.notEqual(keyOf({ environment: 'eu', step: 'web' }), keyOf({ environment: 'eu-web' }))
})

test('the environment is what the user says, else the CI, else the branch, and never a tag', () => {
  const { environment } = identityOf({ environment: 'production', build: { environment: 'staging' } })
  assert.equal(environment?.value, 'production')
  assert.equal(identityOf({ build: { environment: 'staging' } }).environment?.value, 'staging')
  assert.deepEqual(identityOf().environment, { value: 'main', origin: 'CI_BRANCH' })
  for (const tag of ['v1.5.0', 'v1.5.1']) {
    assert.equal(identityOf({ build: { branch: tag, tag } }).environment, undefined)
    assert.equal(keyOf({ build: { branch: tag, tag } }), 'deploy/acme/shop')
  }
})

test('a key too long for PagerDuty is still one for each subject', () => {
  const long = 'x'.repeat(300)
  const keys = [keyOf({ environment: `${long}a` }), keyOf({ environment: `${long}b` })]
  assert.notEqual(keys[0], keys[1])
  assert.deepEqual(keys, [keyOf({ environment: `${long}a` }), keyOf({ environment: `${long}b` })])
  for (const key of keys)
    assert.ok(key !== undefined && key.length <= 255 && key.startsWith('deploy/acme/shop/xxx'))
})

test('the source is never blank: the repository, else the host', () => {
  assert.deepEqual(identityOf().source, { value: 'acme/shop', origin: 'CI_REPO_NAME' })
  assert.deepEqual(identify({}, { origins: {} }, 'host-1').source, {
    value: 'host-1',
    origin: 'the host name',
  })
})
