import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../src/core/failure.ts'
import {
  checkTemplate,
  defaultSummary,
  renderTemplate,
  shortCommit,
  TEMPLATE_NAMES,
  type SummaryFacts,
} from '../../../src/core/summary.ts'

const COMMIT = '0123456789abcdef0123456789abcdef01234567'
const FACTS: SummaryFacts = {
  build: {
    repository: 'acme/shop',
    branch: 'master',
    commit: COMMIT,
    commitMessage: '\n  Fix the\tcheckout \n\nLonger text',
    committer: 'Jane',
    buildId: '42',
    origins: {},
  },
  environment: 'production',
  outcome: 'failure',
  result: { exitCode: 3, durationSeconds: 185.4 },
}

test('a success says what was deployed where, by whom, and why', () => {
  const facts = { ...FACTS, outcome: 'success' } as const
  assert.equal(defaultSummary(facts), 'Deployed acme/shop@0123456 to production by Jane: Fix the checkout')
})

test('what the build says becomes one line', () => {
  const build = { ...FACTS.build, repository: 'acme\u001b[31m/shop', committer: 'Jane\n\u202eDoe' }
  for (const outcome of ['success', 'failure', 'cancelled'] as const)
    assert.doesNotMatch(defaultSummary({ ...FACTS, build, outcome }), /[\n\u001b\u202e]/)
})

test('a failure says how it ended', () => {
  assert.equal(
    defaultSummary(FACTS),
    'Deployment of acme/shop@0123456 to production failed with exit status 3 (Jane: Fix the checkout)',
  )
  assert.match(
    defaultSummary({ ...FACTS, result: { signal: 'SIGKILL' } }),
    /production failed on SIGKILL \(Jane/,
  )
  assert.match(defaultSummary({ ...FACTS, outcome: 'cancelled' }), /to production was cancelled \(Jane/)
})

test('a rollback is called one, however it ended', () => {
  const facts = { ...FACTS, isRollback: true }
  const said = (outcome: 'success' | 'failure' | 'cancelled'): string => defaultSummary({ ...facts, outcome })
  assert.equal(said('success'), 'Rolled back acme/shop@0123456 in production by Jane: Fix the checkout')
  assert.match(said('failure'), /^Rollback of acme\/shop@0123456 to production failed with exit status 3 \(/)
  assert.match(said('cancelled'), /^Rollback of acme\/shop@0123456 to production was cancelled \(/)
  const unknown = { build: { origins: {} }, result: {}, outcome: 'success', isRollback: true } as const
  assert.equal(defaultSummary(unknown), 'Rollback succeeded')
})

test('what is unknown leaves no trace', () => {
  const nothing = { build: { origins: {} }, result: {} } as const
  assert.equal(defaultSummary({ ...nothing, outcome: 'success' }), 'Deployment succeeded')
  assert.equal(defaultSummary({ ...nothing, outcome: 'failure' }), 'Deployment failed')
  assert.equal(
    defaultSummary({
      ...nothing,
      outcome: 'success',
      build: { commitMessage: 'Fix', origins: {} },
      environment: 'eu',
    }),
    'Deployed to eu: Fix',
  )
  assert.equal(
    defaultSummary({ ...nothing, outcome: 'failure', build: { commit: COMMIT, origins: {} } }),
    'Deployment of 0123456 failed',
  )
})

test('control characters and line ends never reach a title', () => {
  const build = { ...FACTS.build, commitMessage: 'a\u001b[31mb\u0007c\r\nd', committer: 'J\nD' }
  assert.ok(!/\p{Cc}/u.test(defaultSummary({ ...FACTS, build })))
})

test('every name of a template stands for its fact', () => {
  const rendered = renderTemplate(TEMPLATE_NAMES.map((name) => `${name}={{${name}}}`).join(' '), FACTS)
  assert.equal(
    rendered,
    `repository=acme/shop branch=master commit=${COMMIT} shortCommit=0123456 message=Fix the checkout committer=Jane ` +
      'environment=production buildId=42 outcome=failure exitCode=3 duration=3 min 5 s',
  )
})

test('spaces inside the braces are fine, and single braces are text', () => {
  assert.equal(renderTemplate(checkTemplate('{{ branch }} {branch} }}'), FACTS), 'master {branch} }}')
})

test('an unknown name is refused with the list of known ones', () => {
  for (const template of ['{{brnch}}', 'a {{}}', '{{constructor}}', '{{ __proto__ }}']) {
    assert.throws(
      () => checkTemplate(template),
      (error) => error instanceof Failure && /shortCommit/.test(error.message),
    )
  }
})

test('what a fact holds is not read as a template again', () => {
  const build = { ...FACTS.build, commitMessage: '{{branch}} $& $1' }
  assert.equal(renderTemplate('{{message}}', { ...FACTS, build }), '{{branch}} $& $1')
})

test('only hexadecimal commit ids are shortened', () => {
  assert.equal(shortCommit(COMMIT), '0123456')
  assert.equal(shortCommit('0123456'), '0123456')
  assert.equal(shortCommit('release-2026-01'), 'release-2026-01')
  assert.equal(shortCommit(undefined), undefined)
})
