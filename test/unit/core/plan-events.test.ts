import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventInput } from '../../../src/core/build-event.ts'
import { findProblems } from '../../../src/core/event-schema.ts'
import { Failure } from '../../../src/core/failure.ts'
import { identify, type IdentityChoices } from '../../../src/core/identity.ts'
import { planEvents, type EventCommand, type PlanOptions } from '../../../src/core/plan-events.ts'

const NOW = '2026-01-31T12:00:00.000Z'
const BUILD: EventInput['build'] = {
  ci: 'Codeship',
  repository: 'acme/shop',
  branch: 'master',
  commit: '0123456789abcdef0123456789abcdef01234567',
  commitMessage: 'Fix the checkout\n\nIt was broken.',
  commitDescription: 'v1.2-3-g0123456',
  committer: 'Jane',
  buildId: 'b-1',
  projectId: 'p-1',
  pullRequest: '7',
  pullRequestUrl: 'https://github.com/acme/shop/pull/7',
  approved: true,
  buildUrl: 'https://ci.example/1',
  commitUrl: 'https://github.com/acme/shop/commit/0123456789abcdef0123456789abcdef01234567',
  origins: { repository: 'CI_REPO_NAME', branch: 'CI_BRANCH' },
}
const NOWHERE: EventInput['build'] = { origins: {} }
const OPTIONS: PlanOptions = { as: 'change', resolve: 'auto', randomKey: () => 'random' }

function input(build = BUILD, choices: IdentityChoices = {}, more: Partial<EventInput> = {}): EventInput {
  return { fields: {}, build, identity: identify(choices, build, 'host-1'), result: {}, nowIso: NOW, ...more }
}
const plan = (
  command: EventCommand,
  given = input(),
  options: Partial<PlanOptions> = {},
): ReturnType<typeof planEvents> => planEvents(command, given, { ...OPTIONS, ...options })
const shapes = ({ events }: ReturnType<typeof plan>): string[] =>
  events.map(({ kind, body }) => [kind, body.event_action, body.dedup_key].filter(Boolean).join(' '))

test('a failure that pages nobody is a change event and says why', () => {
  const change = ['change']
  assert.deepEqual(shapes(plan('failure', input(), { failureAs: 'change' })), change)
  const counted = (failures: number): EventInput =>
    input(BUILD, {}, { streak: { failures, pagesAt: 2 }, result: { exitCode: 3 } })
  const [first] = plan('failure', counted(1)).events
  assert.deepEqual(shapes(plan('failure', counted(1))), change)
  assert.equal(
    first?.body.payload?.summary,
    'Deployment of acme/shop@0123456 to master failed with exit status 3, 1st of 2 before somebody is paged (Jane: Fix the checkout)',
  )
  assert.equal(first?.body.payload?.custom_details?.['failures_in_a_row'], 1)
  assert.deepEqual(shapes(plan('failure', counted(2))), ['alert trigger deploy/acme/shop/master'])
  assert.doesNotMatch(plan('failure', counted(2)).events[0]?.body.payload?.summary ?? '', /paged/)
})

const DETAILS = {
  outcome: 'success',
  ci: 'Codeship',
  environment: 'master',
  repository: 'acme/shop',
  branch: 'master',
  commit: '0123456789abcdef0123456789abcdef01234567',
  commit_message: 'Fix the checkout\n\nIt was broken.',
  commit_description: 'v1.2-3-g0123456',
  committer: 'Jane',
  build_id: 'b-1',
  project_id: 'p-1',
  pull_request: '7',
  approved: true,
}
const LINKS = [
  { href: 'https://ci.example/1', text: 'Codeship build' },
  { href: BUILD.commitUrl, text: 'Commit 0123456' },
  { href: 'https://github.com/acme/shop/pull/7', text: 'Pull request #7' },
]

test('a success is a change event with everything that is known, and the resolve of the failure alert', () => {
  const { events, warnings } = plan('success')
  assert.deepEqual(events, [
    {
      kind: 'change',
      body: {
        payload: {
          summary: 'Deployed acme/shop@0123456 to master by Jane: Fix the checkout',
          timestamp: NOW,
          custom_details: DETAILS,
          source: 'acme/shop',
        },
        links: LINKS,
      },
    },
    { kind: 'alert', body: { event_action: 'resolve', dedup_key: 'deploy/acme/shop/master' } },
  ])
  assert.deepEqual(warnings, [])
})

test('a failure is a trigger whose key the next success resolves', () => {
  const { events } = plan(
    'failure',
    input(BUILD, {}, { result: { exitCode: 3, startedAt: NOW, durationSeconds: 2, output: 'boom' } }),
  )
  assert.deepEqual(events, [
    {
      kind: 'alert',
      body: {
        event_action: 'trigger',
        dedup_key: 'deploy/acme/shop/master',
        payload: {
          summary:
            'Deployment of acme/shop@0123456 to master failed with exit status 3 (Jane: Fix the checkout)',
          source: 'acme/shop',
          severity: 'error',
          component: 'acme/shop',
          group: 'master',
          class: 'deploy',
          timestamp: NOW,
          custom_details: {
            ...DETAILS,
            outcome: 'failure',
            exit_code: 3,
            started_at: NOW,
            duration_seconds: 2,
            output: 'boom',
          },
        },
        links: LINKS,
        client: 'Codeship',
        client_url: 'https://ci.example/1',
      },
    },
  ])
})

const FORMS: [Partial<PlanOptions>, string[]][] = [
  [{}, ['change', 'alert resolve deploy/acme/shop/master']],
  [{ resolve: 'never' }, ['change']],
  [
    { as: 'alert' },
    ['alert trigger deploy/acme/shop/master#success', 'alert resolve deploy/acme/shop/master'],
  ],
  [
    { as: 'both' },
    ['change', 'alert trigger deploy/acme/shop/master#success', 'alert resolve deploy/acme/shop/master'],
  ],
]
for (const [options, expected] of FORMS) {
  test(`success with ${JSON.stringify(options)} sends ${expected.join(', ')}`, () => {
    const planned = plan('success', input(), options)
    assert.deepEqual(shapes(planned), expected)
    const alert = planned.events.find(({ body }) => body.event_action === 'trigger')
    if (alert) assert.equal(alert.body.payload?.severity, 'info')
  })
}

test('a cancelled deployment is a change event and pages nobody', () => {
  assert.deepEqual(shapes(plan('cancelled')), ['change'])
})

test('the dedup key is the same for another build, commit and person', () => {
  const other = { ...BUILD, commit: 'f'.repeat(40), buildId: 'b-2', committer: 'Joe', commitMessage: 'Other' }
  assert.deepEqual(shapes(plan('failure', input(other))), shapes(plan('failure')))
})

test('the dedup key differs between repositories, environments and steps', () => {
  const environment = { value: 'eu', origin: '--environment' }
  const step = { value: 'api', origin: '--step' }
  const keys = [
    input(),
    input({ ...BUILD, repository: 'acme/other' }),
    input(BUILD, { environment }),
    input(BUILD, { environment, step }),
  ].map((one) => shapes(plan('failure', one))[0])
  assert.equal(new Set(keys).size, keys.length)
})

test('a named step is in the details, so that the deployments to one environment can be told apart', () => {
  const given = input(BUILD, { step: { value: 'api', origin: '--step' } })
  assert.equal(plan('success', given).events[0]?.body.payload?.custom_details?.['step'], 'api')
})

test('outside any CI a success resolves nothing, a failure gets a random key, and both say so', () => {
  const success = plan('success', input(NOWHERE))
  assert.deepEqual(shapes(success), ['change'])
  assert.match(success.warnings.join(), /no failure alert is resolved/)
  const failure = plan('failure', input(NOWHERE))
  assert.deepEqual(shapes(failure), ['alert trigger random'])
  assert.match(failure.warnings.join(), /random dedup key/)
  assert.equal(failure.events[0]?.body.payload?.source, 'host-1')
})

test('events from options only say nothing of the build but its name as the source', () => {
  const fields = {
    summary: 'Migration of {{branch}}',
    severity: 'critical',
    details: { a: false, b: 0, c: null },
  } as const
  const [trigger] = plan(
    'trigger',
    input(BUILD, {}, { fields: fields as unknown as EventInput['fields'] }),
  ).events
  assert.deepEqual(trigger?.body, {
    event_action: 'trigger',
    dedup_key: 'deploy/acme/shop/master',
    payload: {
      summary: 'Migration of master',
      source: 'acme/shop',
      severity: 'critical',
      timestamp: NOW,
      custom_details: { a: false, b: 0 },
    },
  })
  const [change] = plan(
    'change',
    input(NOWHERE, {}, { fields: { summary: 'x', timestamp: '2020-01-01T00:00:00.000Z' } }),
  ).events
  assert.deepEqual(change?.body, {
    payload: { summary: 'x', timestamp: '2020-01-01T00:00:00.000Z', source: 'host-1' },
  })
})

test('acknowledge and resolve need an alert to address', () => {
  for (const command of ['acknowledge', 'resolve'] as const) {
    assert.deepEqual(shapes(plan(command)), [`alert ${command} deploy/acme/shop/master`])
    assert.deepEqual(
      shapes(plan(command, input(NOWHERE, { dedupKey: { value: 'k', origin: '--dedup-key' } }))),
      [`alert ${command} k`],
    )
    assert.throws(
      () => plan(command, input(NOWHERE)),
      (error) => error instanceof Failure && error.kind === 'usage' && /--dedup-key/.test(error.message),
    )
  }
})

test('a template that renders empty falls back with one warning', () => {
  const given = input(NOWHERE, {}, { fields: { summary: '{{branch}}' } })
  for (const command of ['success', 'failure', 'cancelled', 'change', 'trigger'] as const) {
    const { events, warnings } = plan(command, given, { resolve: 'never' })
    assert.equal(warnings.filter((warning) => /renders empty/.test(warning)).length, 1)
    assert.deepEqual(findProblems(events[0]!), [])
  }
})

test("the user's links follow the build's, and the user's details win over the build's", () => {
  const fields = { links: [{ href: 'https://run.example/book' }], details: { branch: 'mine' } }
  const [change] = plan('success', input(BUILD, {}, { fields })).events
  assert.deepEqual(change?.body.links, [...LINKS, ...fields.links])
  assert.equal(change?.body.payload?.custom_details?.branch, 'mine')
})

test('a commit message of 5,000 hostile characters arrives whole in the details and cut in the title', () => {
  const commitMessage = `${'"\'`$\\ \u0007\u001b[31m😀'.repeat(400)}\n\nbody`
  const build = { ...BUILD, commitMessage }
  for (const command of ['success', 'failure'] as const) {
    for (const event of plan(command, input(build)).events) {
      assert.deepEqual(findProblems(event), [])
      const { payload } = event.body
      if (payload === undefined) continue
      assert.equal(payload.custom_details?.commit_message, commitMessage)
      assert.deepEqual(payload.custom_details?.truncated, ['summary'])
      assert.ok(payload.summary.length <= 1024 && payload.summary.endsWith('…'))
    }
  }
})
