import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
}
interface Job {
  readonly 'timeout-minutes'?: number
  readonly permissions?: Readonly<Record<string, string>>
  readonly if?: string
  readonly needs?: string | readonly string[]
  readonly steps: readonly Step[]
}
interface Workflow {
  readonly permissions: unknown
  readonly jobs: Readonly<Record<string, Job>>
}

/** What a job with rights may use: what fetches, what signs, and CodeQL, which reads the code and runs none of it. */
const HARMLESS =
  /^(?:actions\/(?:checkout|setup-node|download-artifact)|sigstore\/cosign-installer|github\/codeql-action\/(?:init|analyze))@/
/** What runs code of others: dependencies, bundler, image build. */
const BUILDS =
  /\b(?:npm (?:ci|install|i|run|test|exec|pack)|npx|yarn|pnpm|rolldown|docker (?:build|run|buildx))\b/

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
  test(`${name}: a job with rights runs nobody’s code, and a job that builds keeps no token`, () => {
    for (const [job, { permissions, steps: own }] of Object.entries(workflow.jobs)) {
      if (permissions === undefined) {
        const checkouts = own.filter(({ uses }) => uses?.startsWith('actions/checkout@'))
        for (const checkout of checkouts) assert.equal(checkout.with?.['persist-credentials'], false, job)
        assert.doesNotMatch(JSON.stringify(own), /secrets\.|github\.token|docker\/login-action/, job)
      } else {
        for (const { uses, run } of own) {
          if (uses !== undefined) assert.match(uses, HARMLESS, job)
          assert.doesNotMatch(run ?? '', BUILDS, job)
        }
        const cache = own.flatMap((step) => step.with?.['cache'] ?? [])
        assert.deepEqual(cache, [], 'a cache may hold what another job put there')
      }
    }
  })
  test(`${name}: no setting of the repository decides who gets a token`, () => {
    assert.doesNotMatch(JSON.stringify(workflow), /\bvars\./)
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

test('release.yml publishes what was built once, and only for a tag', () => {
  const { jobs } = parse(readFileSync(new URL('release.yml', DIRECTORY), 'utf8')) as Workflow
  const builders = Object.keys(jobs).filter((name) => BUILDS.test(JSON.stringify(jobs[name]?.steps)))
  assert.deepEqual(builders, ['build'])
  const publishers = Object.entries(jobs).filter(([, { permissions }]) => permissions !== undefined)
  assert.deepEqual(
    publishers.map(([name, { permissions }]) => [name, permissions]),
    [
      ['publish-image', { packages: 'write', 'id-token': 'write' }],
      ['publish-npm', { 'id-token': 'write' }],
      ['tag-bundle', { contents: 'write' }],
    ],
  )
  for (const [name, { steps, needs, if: condition }] of publishers) {
    assert.ok(steps.some(({ uses }) => uses?.startsWith('actions/download-artifact@')))
    assert.ok(condition === "github.ref_type == 'tag'" || needs?.includes('publish-npm'), name)
  }
  assert.match(JSON.stringify(jobs['publish-npm']), /--ignore-scripts/)
  assert.match(JSON.stringify(jobs['publish-image']), /docker login ghcr\.io/)
})

for (const name of ['Dockerfile', 'Dockerfile.test']) {
  test(`${name} names its base by a digest, and the version is that of the tests`, () => {
    const text = readFileSync(new URL(`../../${name}`, DIRECTORY), 'utf8')
    const version = (manifest.devDependencies as Record<string, string>)['node']
    const [, base = ''] = /^ARG NODE_IMAGE=(\S+)$/m.exec(text) ?? []
    assert.match(base, new RegExp(`^node:${version}-bookworm-slim@sha256:[0-9a-f]{64}$`))
  })
}
