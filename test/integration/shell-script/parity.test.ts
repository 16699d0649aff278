import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startSimulator, type Simulator } from '../../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY, runProgram, type Run } from '../../support/program.ts'
import { skipWithout } from '../../support/required.ts'
import { runScript, SHELLS, type Shell } from '../../support/shell-script.ts'

/*
 * The program and the script make the same events of the same environment: one table, run against both.
 */

const CODESHIP_BASIC: Readonly<Record<string, string>> = {
  CI: 'true',
  CI_NAME: 'codeship',
  CI_BRANCH: 'master',
  CI_BUILD_NUMBER: '1742',
  CI_BUILD_URL: 'https://app.codeship.com/projects/98765/builds/1742',
  CI_COMMIT_ID: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
  CI_COMMITTER_NAME: 'Jane Doe',
  CI_COMMITTER_EMAIL: 'jane@example.com',
  CI_COMMITTER_USERNAME: 'jane',
  CI_MESSAGE: 'Fix the checkout\n\nIt charged twice.',
  CI_PR_NUMBER: '0',
  CI_PULL_REQUEST: 'false',
  CI_REPO_NAME: 'acme/shop',
}

interface Case {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Path, action and summary of what is sent, `…` if it is long. */
  readonly sends: readonly string[]
  /** The shells that it is tried in. Default: all. */
  readonly shells?: readonly Shell[]
}

const shells = Object.keys(SHELLS) as Shell[]
/** One of them in turn, for rows in which they cannot differ. */
const oneOf = (index: number): Shell[] => shells.slice(index % shells.length).slice(0, 1)

const CHANGE = '/v2/change/enqueue'
const ALERT = '/v2/enqueue'
const RESOLVE = `${ALERT} resolve`
const DEPLOYED = `${CHANGE} Deployed acme/shop@5f0c1d2 to master by Jane Doe: `
const FAILED = `${ALERT} trigger Deployment of acme/shop@5f0c1d2 to master failed`

/** Commit messages that break out of whatever is put together by hand. */
const HOSTILE: Readonly<Record<string, [message: string, firstLine: string]>> = {
  'quotes and backslashes': [
    String.raw`He said "it's \"fine\"" \n \u0041 \\`,
    String.raw`He said "it's \"fine\"" \n \u0041 \\`,
  ],
  'commands to substitute': [
    '$(touch /tmp/owned) `id` ${HOME} $((1+1))',
    '$(touch /tmp/owned) `id` ${HOME} $((1+1))',
  ],
  'what curl and printf read': ['@/etc/passwd %s%n%100000d -K-', '@/etc/passwd %s%n%100000d -K-'],
  'an option': ['--output /tmp/owned', '--output /tmp/owned'],
  'jq’s own language': ['\\(env) | "x" // .. as $x', '\\(env) | "x" // .. as $x'],
  'JSON that closes the body': ['"}],"routing_key":"x"}', '"}],"routing_key":"x"}'],
  'a placeholder on a line of its own': ['Title\nfalse\n0', 'Title'],
  'blank lines and tabs first': ['\n\t \r\n  Title\there  \nrest', 'Title here'],
  'control characters and colours': ['\u001b[31mred\u001b[0m\u0007 bell\u007f', '[31mred [0m bell'],
  'bidirectional overrides and odd spaces': ['a\u202eb\u2066c\u00a0d\u3000e\ufefff\u2028g', 'a b c d e f g'],
  'every alphabet': ['Grüße, мир, 世界, 🎉👩‍👩‍👧', 'Grüße, мир, 世界, 🎉👩‍👩‍👧'],
  'braces of a template': ['{{branch}} {{nope}}', '{{branch}} {{nope}}'],
}

const CASES: Readonly<Record<string, Case>> = {
  'success on Codeship Basic': {
    args: ['success'],
    env: CODESHIP_BASIC,
    sends: [`${DEPLOYED}Fix the checkout`, RESOLVE],
  },
  'success on Codeship Pro, without a command': {
    args: [],
    env: CODESHIP_PRO,
    sends: [`${DEPLOYED}Fix the checkout`, RESOLVE],
  },
  'failure on Codeship Basic': {
    args: ['failure'],
    env: CODESHIP_BASIC,
    sends: [`${FAILED} (Jane Doe: Fix the checkout)`],
  },
  'failure on Codeship Pro, approved, of a pull request': {
    args: ['pagerduty.sh', 'failure'],
    env: {
      ...CODESHIP_PRO,
      CI_BUILD_APPROVED: 'True',
      CI_PR_NUMBER: '42',
      CI_PULL_REQUEST: 'https://github.com/acme/shop/pull/42',
    },
    sends: [`${FAILED} (Jane Doe: Fix the checkout)`],
  },
  'a failure that pages nobody': {
    args: ['failure', '--failure-as', 'change'],
    env: CODESHIP_BASIC,
    sends: [`${FAILED.replace(`${ALERT} trigger`, CHANGE)} (Jane Doe: Fix the checkout)`],
  },
  'a rollback that fails, and says so in its class and details': {
    args: ['failure', '--rollback'],
    env: CODESHIP_BASIC,
    sends: [`${FAILED.replace('Deployment', 'Rollback')} (Jane Doe: Fix the checkout)`],
  },
  'a rollback by its variable': {
    args: ['success'],
    env: { ...CODESHIP_BASIC, PAGERDUTY_ROLLBACK: 'Yes' },
    sends: [
      `${DEPLOYED.replace('Deployed', 'Rolled back').replace(' to ', ' in ')}Fix the checkout`,
      RESOLVE,
    ],
  },
  'references that the CI has not replaced': {
    args: ['success'],
    env: {
      ...CODESHIP_BASIC,
      CI_BRANCH: '$CI_BRANCH',
      CI_COMMITTER_NAME: '%env.NAME%',
      PAGERDUTY_ENVIRONMENT: '$(environmentName)',
      PAGERDUTY_SOURCE: '${{ vars.source }}',
    },
    sends: [DEPLOYED.replace(' to master', '').replace('Jane Doe', 'jane') + 'Fix the checkout', RESOLVE],
  },
  ...Object.fromEntries(
    [
      'https://jane:secret@github.com/acme/shop/tree/main',
      'ssh://git@ssh.github.com:443/acme/shop.git',
      'git@gitlab.example.com:acme/web/shop.git',
      'bitbucket.org/acme/shop/src/master/',
      'HTTP://git.example.com:8080//acme/shop/?tab=x#readme',
    ].map((url, index) => [
      `a repository at ${url}`,
      {
        shells: oneOf(index),
        args: ['success'],
        env: { ...CODESHIP_BASIC, CI_PR_NUMBER: '42', PAGERDUTY_REPOSITORY_URL: url },
        sends: [`${DEPLOYED}Fix the checkout`, RESOLVE],
      },
    ]),
  ),
  ...Object.fromEntries(
    [
      'Merge pull request #12 from acme/fix\n\nFix the checkout',
      'Merged in fix (pull request #12)\n\nSee merge request !13',
      'Merged PR 12: Fix',
      "Merge branch 'fix' into 'main'\n\nFix\n\nSee merge request acme/shop!12",
      'Fix the checkout (#12)',
      'Fix #12',
    ].map((message, index) => [
      `the pull request that ${JSON.stringify(message)} merged, and the changes since the last tag`,
      {
        shells: oneOf(index),
        args: ['success'],
        env: {
          ...CODESHIP_PRO,
          CI_COMMIT_MESSAGE: message,
          CI_COMMIT_DESCRIPTION: 'release/v1 4-3-g5f0c1d2',
          PAGERDUTY_REPOSITORY_URL: `https://${['github.com', 'gitlab.com', 'bitbucket.org'][index % 3]}/acme/shop`,
        },
        sends: [`${DEPLOYED}${message.split('\n')[0]}`, RESOLVE],
      },
    ]),
  ),
  'links, images and an address that cannot be used': {
    args: ['failure'],
    env: {
      ...CODESHIP_BASIC,
      PAGERDUTY_LINKS: '[{"href":"ftp://x"},{"href":"https://example.com/a b"},"https://example.com"]',
      PAGERDUTY_IMAGES: '{"src":"http://example.com/a.png"}',
      PAGERDUTY_CLIENT_URL: 'https://two words',
    },
    sends: [`${FAILED} (Jane Doe: Fix the checkout)`],
  },
  'an exit status in place of a command': {
    args: [],
    env: { ...CODESHIP_BASIC, PAGERDUTY_STATUS: '003' },
    sends: [`${FAILED} with exit status 3 (Jane Doe: Fix the checkout)`],
  },
  ...Object.fromEntries(
    Object.entries({
      'refs/heads/feature/checkout': ' to feature/checkout',
      'refs/tags/v1.2.3': '',
      'tags/v1': '',
      HEAD: '',
      'refs/remotes/origin/HEAD': '',
      detached: '',
      '(HEAD detached at 5f0c1d2)': '',
      'refs/pull/12/merge': '',
      '12/merge': '',
      'pull/12': '',
      'origin/pr/12/merge': '',
      'refs/merge-requests/12/train': '',
      'refs/pull-requests/12/from': '',
      'PR-12': '',
      'refs/changes/34/1234/2': '',
      'gh-readonly-queue/main/pr-12-5f0c1d2e': ' to main',
      'trunk-merge/pr-12/0b9c8d7e': '',
      'mergify/merge-queue/0b9c8d7e': '',
      headless: ' to headless',
      'PR-12-fix': ' to PR-12-fix',
    }).map(([ref, to], index) => [
      `a branch that is called ${ref}`,
      {
        shells: oneOf(index),
        args: ['failure'],
        env: { ...CODESHIP_BASIC, CI_BRANCH: ref },
        sends: [`${FAILED.replace(' to master', to)} (Jane Doe: Fix the checkout)`],
      },
    ]),
  ),
  'an exit status of Windows': {
    args: [],
    env: { ...CODESHIP_BASIC, PAGERDUTY_STATUS: '-1073741510' },
    sends: [`${FAILED} with exit status -1073741510 (Jane Doe: Fix the checkout)`],
  },
  'a word that no CI is known to use': {
    args: [],
    env: { ...CODESHIP_BASIC, PAGERDUTY_STATUS: 'great' },
    sends: [`${FAILED} (Jane Doe: Fix the checkout)`],
  },
  'a word in the form of another CI': {
    args: [],
    env: { ...CODESHIP_BASIC, PAGERDUTY_STATUS: 'Timed_Out' },
    sends: [`${FAILED} (Jane Doe: Fix the checkout)`],
  },
  'a cancelled build': {
    args: [],
    env: { ...CODESHIP_BASIC, PAGERDUTY_STATUS: 'Canceled' },
    sends: [`${CHANGE} Deployment of acme/shop@5f0c1d2 to master was cancelled (Jane Doe: Fix the checkout)`],
  },
  'every setting': {
    args: ['failure', '--step', 'eu-west'],
    env: {
      ...CODESHIP_BASIC,
      PAGERDUTY_SUMMARY:
        ' "{{repository}} {{ shortCommit }} {{outcome}}: {{message}} ({{buildId}}){{exitCode}}" ',
      PAGERDUTY_SEVERITY: 'CRITICAL',
      PAGERDUTY_SOURCE: 'shop.example.com',
      PAGERDUTY_COMPONENT: 'web',
      PAGERDUTY_GROUP: 'eu',
      PAGERDUTY_CLASS: 'rollout',
      PAGERDUTY_ENVIRONMENT: 'production',
      PAGERDUTY_DETAILS:
        '{"team":"web","n":1.1,"zero":0,"no":false,"gone":null,"deep":{"a":[1,null,{"b":null}]},"ci":"ours"}',
      PAGERDUTY_LINKS:
        '[{"href":"https://example.com/runbook","text":"Runbook"},{"href":""},{"href":"http://a.example","text":" "}]',
      PAGERDUTY_IMAGES:
        '[{"src":"https://example.com/a.png","href":"https://example.com","alt":"A"},{"src":null}]',
      PAGERDUTY_CLIENT: 'Deployer',
      PAGERDUTY_CLIENT_URL: 'https://deployer.example.com/?q=1',
      PAGERDUTY_REPOSITORY_URL: 'git@gitlab.com:acme/shop.git',
    },
    sends: [`${ALERT} trigger acme/shop 5f0c1d2 failure: Fix the checkout (1742)`],
  },
  'a change event with values for which it has no fields': {
    args: ['success'],
    env: {
      ...CODESHIP_BASIC,
      PAGERDUTY_COMPONENT: 'web',
      PAGERDUTY_GROUP: 'eu',
      PAGERDUTY_CLASS: 'rollout',
      PAGERDUTY_CLIENT: 'Deployer',
      PAGERDUTY_CLIENT_URL: 'https://deployer.example.com',
      PAGERDUTY_DETAILS: '{"component":"api"}',
      PAGERDUTY_IMAGES: '[{"src":"https://example.com/a.png","href":"example.com"}]',
    },
    sends: [`${DEPLOYED}Fix the checkout`, RESOLVE],
  },
  'success as change and alert': {
    args: ['success', '--as', 'both'],
    env: { ...CODESHIP_BASIC, PAGERDUTY_REPOSITORY_URL: 'https://github.com/acme/shop/' },
    sends: [
      `${DEPLOYED}Fix the checkout`,
      `${ALERT} trigger Deployed acme/shop@5f0c1d2 to master by Jane Doe: Fix the checkout`,
      RESOLVE,
    ],
  },
  'success that leaves the alert alone': {
    args: ['success', '--resolve=never'],
    env: CODESHIP_BASIC,
    sends: [`${DEPLOYED}Fix the checkout`],
  },
  'hardly anything known': {
    args: ['success'],
    env: { CI_BRANCH: 'main', PAGERDUTY_SOURCE: 'laptop' },
    sends: [`${CHANGE} Deployed to main`],
  },
  'the repository from its address alone': {
    args: ['failure'],
    env: {
      PAGERDUTY_REPOSITORY_URL: 'https://bitbucket.org/acme/shop',
      CI_COMMIT_ID: 'v1.2',
      CI_PR_NUMBER: '7',
    },
    sends: [`${ALERT} trigger Deployment of acme/shop@v1.2 failed`],
  },
  'a summary too long, of characters beyond the BMP': {
    args: ['failure'],
    env: { ...CODESHIP_BASIC, CI_MESSAGE: `x${'😀'.repeat(2000)}` },
    sends: [`${FAILED} (Jane Doe: x😀…`],
  },
  'a dedup key too long': {
    args: ['success'],
    env: { ...CODESHIP_BASIC, PAGERDUTY_ENVIRONMENT: `prod-ü${'é'.repeat(300)}`, PAGERDUTY_SUMMARY: 'Done' },
    sends: [`${CHANGE} Done`, RESOLVE],
  },
  'more links than PagerDuty takes': {
    args: ['success'],
    env: {
      ...CODESHIP_BASIC,
      PAGERDUTY_RESOLVE: 'NEVER',
      PAGERDUTY_LINKS: JSON.stringify(
        Array.from({ length: 60 }, (_, n) => ({ href: `https://example.com/${n}` })),
      ),
    },
    sends: [`${DEPLOYED}Fix the checkout`],
  },
  'a change from settings': {
    args: ['change', '--summary', 'Flag on', '--details', '{"flag":"checkout-v2"}'],
    env: { PAGERDUTY_SOURCE: 'flags' },
    sends: [`${CHANGE} Flag on`],
  },
  'a trigger, an acknowledge and a resolve by key: trigger': {
    args: ['trigger', '--summary=Migration is stuck', '--dedup-key', 'migration/7', '--severity', 'warning'],
    env: { PAGERDUTY_SOURCE: 'db-1' },
    sends: [`${ALERT} trigger Migration is stuck`],
  },
  'a success under a key of its own': {
    args: ['success', '--dedup-key', 'my-own'],
    env: CODESHIP_PRO,
    sends: [`${DEPLOYED}Fix the checkout`, `${ALERT} resolve`],
  },
  'a success under the usual key, which is given': {
    args: ['success', '--dedup-key', 'deploy/acme/shop/master', '--resolve', 'never'],
    env: CODESHIP_PRO,
    sends: [`${DEPLOYED}Fix the checkout`],
  },
  acknowledge: {
    args: ['acknowledge'],
    env: { PAGERDUTY_DEDUP_KEY: 'migration/7' },
    sends: [`${ALERT} acknowledge`],
  },
  resolve: { args: ['resolve'], env: CODESHIP_PRO, sends: [RESOLVE] },
  ...Object.fromEntries(
    Object.entries(HOSTILE).map(([name, [message, firstLine]]) => [
      `commit message: ${name}`,
      {
        args: ['success', '--resolve', 'never'],
        env: { ...CODESHIP_BASIC, CI_MESSAGE: message, CI_COMMITTER_NAME: 'Jane Doe' },
        sends: [`${DEPLOYED}${firstLine}`],
      },
    ]),
  ),
}

const skip = skipWithout(...shells, 'curl', 'jq')
const simulators = new Map<string, Simulator>()
for (const name of ['program', ...shells]) simulators.set(name, await startSimulator())
after(async () => {
  for (const simulator of simulators.values()) await simulator.close()
})

for (const [name, { args, env, sends, shells: tried = shells }] of Object.entries(CASES)) {
  test(`the same events: ${name}`, { skip }, async () => {
    const expected = await eventsOf('program', (url) => runProgram(args, { env: settings(env, url) }))
    assert.deepEqual(expected.map(describe), sends)
    const compare = async (shell: Shell): Promise<void> => {
      const events = await eventsOf(shell, (url) => runScript(shell, args, { env: settings(env, url) }))
      assert.deepEqual(events, expected, shell)
    }
    await Promise.all(tried.map(compare))
  })
}

function settings(env: Readonly<Record<string, string>>, url: string): Record<string, string> {
  return { ...env, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: url }
}

interface Sent {
  readonly path: string
  readonly body: {
    readonly event_action?: string
    readonly payload?: { readonly summary: string; readonly timestamp?: unknown }
  }
}

/** What a run sent, in the order of paths and actions, with the time taken out. */
async function eventsOf(name: string, run: (url: string) => Promise<Run>): Promise<Sent[]> {
  const simulator = simulators.get(name)!
  simulator.reset()
  const { code, stderr } = await run(simulator.url)
  assert.equal(code, 0, stderr)
  const sent = simulator.requests.map(({ path, json }) => ({ path, body: withoutTime(json as Sent['body']) }))
  return sent.toSorted((a, b) => sortKey(a).localeCompare(sortKey(b)))
}

function withoutTime(body: Sent['body']): Sent['body'] {
  if (body.payload === undefined) return body
  const { timestamp, ...payload } = body.payload
  assert.match(String(timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/)
  return { ...body, payload }
}

/** Changes first, a trigger before the resolve beside it. */
function sortKey({ path, body }: Sent): string {
  return `${path === CHANGE ? 0 : 1} ${body.event_action === 'trigger' ? 0 : 1}`
}

function describe({ path, body }: Sent): string {
  const summary = body.payload?.summary
  const shown =
    summary === undefined || summary.length < 1000
      ? summary
      : `${summary.slice(0, summary.indexOf('😀') + 2)}…`
  return [path, body.event_action, shown].filter((part) => part !== undefined).join(' ')
}
