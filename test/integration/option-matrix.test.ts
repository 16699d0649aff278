import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SETTING_LIST } from '../../src/config/settings.ts'
import { CODESHIP_PRO, KEY, runProgram, type Run } from '../support/program.ts'

/** A value of every option that shapes an event, none of which an event has by default. */
const VALUES: Readonly<Record<string, string>> = {
  summary: 'Sample summary',
  severity: 'warning',
  source: 'sample-source',
  component: 'sample-component',
  group: 'sample-group',
  class: 'sample-class',
  environment: 'sample-environment',
  step: 'sample-step',
  detail: 'sample=detail',
  details: '{"sample":"details"}',
  link: 'https://link.example|Sample',
  image: 'https://image.example/i.png',
  client: 'sample-client',
  'client-url': 'https://client.example',
  'dedup-key': 'sample-key',
  timestamp: '2020-01-02T03:04:05Z',
  status: 'failed',
  as: 'both',
  resolve: 'never',
  rollback: '', // a flag
}

const ALL = Object.keys(VALUES)
const ONLY_SUCCESS = ['as', 'resolve', 'status']
const ONLY_OUTCOME = [...ONLY_SUCCESS, 'rollback']
const NOT_IN_CHANGE = [...ONLY_OUTCOME, 'severity', 'dedup-key']
const NOT_IN_FOLLOW_UP = ALL.filter((name) => !['dedup-key', 'environment', 'step'].includes(name))

interface Row {
  /** Command lines, at least one of which must show the option. */
  readonly lines: readonly (readonly string[])[]
  readonly stdin?: string
  /** The options that are refused; every other one is used. */
  readonly refuses: readonly string[]
}

const ROWS: Readonly<Record<string, Row>> = {
  'no command': { lines: [[], ['--status', 'failed']], refuses: [] },
  success: { lines: [['success']], refuses: ['status', 'severity'] },
  'success --as alert': { lines: [['success', '--as', 'alert']], refuses: ['status'] },
  failure: { lines: [['failure']], refuses: ONLY_SUCCESS },
  run: {
    lines: [
      ['run', '--', 'true'],
      ['run', '--', 'false'],
    ],
    refuses: ['status'],
  },
  change: { lines: [['change', '--summary', 's']], refuses: NOT_IN_CHANGE },
  trigger: { lines: [['trigger', '--summary', 's']], refuses: ONLY_OUTCOME },
  acknowledge: { lines: [['acknowledge']], refuses: NOT_IN_FOLLOW_UP },
  resolve: { lines: [['resolve']], refuses: NOT_IN_FOLLOW_UP },
  'send of an alert': { lines: [['send']], stdin: '{"event_action":"trigger"}', refuses: ONLY_OUTCOME },
  'send of a change': { lines: [['send']], stdin: '{"payload":{}}', refuses: NOT_IN_CHANGE },
  'send of a resolve': { lines: [['send']], stdin: '{"event_action":"resolve"}', refuses: NOT_IN_FOLLOW_UP },
}

/** What holds but for the time and a duration, which are never the same. */
const ENV = { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY }

async function dryRun(line: readonly string[], options: readonly string[], stdin = ''): Promise<Run> {
  const end = line.includes('--') ? line.indexOf('--') : line.length
  return await runProgram([...line.slice(0, end), '--dry-run', ...options, ...line.slice(end)], {
    env: ENV,
    stdin,
  })
}

/** The bodies that a run would send, without what differs from run to run. */
function bodiesOf({ stdout }: Run): string {
  return stdout
    .replaceAll(/"timestamp":"202[1-9][^"]*",?/g, '')
    .replaceAll(/"duration_seconds":[\d.]+,?/g, '')
}

test('the matrix has every option that shapes an event', () => {
  const options = SETTING_LIST.filter(({ group, option }) => group === 'event' && option !== undefined)
  assert.deepEqual(new Set<string>(ALL), new Set(options.map(({ option }) => option)))
})

for (const [name, { lines, stdin, refuses }] of Object.entries(ROWS)) {
  test(`${name}: every option is used, or refused as usage`, async () => {
    const plain = await Promise.all(lines.map((line) => dryRun(line, [], stdin)))
    for (const run of plain) assert.notEqual(run.stdout, '', run.stderr)
    for (const option of ALL) {
      // A command without a default summary has one already; another one replaces it.
      const runs = await Promise.all(
        lines.map((line) => dryRun(line, [`--${option}`, VALUES[option] ?? ''].filter(Boolean), stdin)),
      )
      if (refuses.includes(option)) {
        for (const { stdout, stderr } of runs) {
          assert.equal(stdout, '', option)
          assert.match(stderr, new RegExp(`error: .*--${option}\\b`), option)
        }
      } else {
        const isUsed = runs.some((run, index) => bodiesOf(run) !== bodiesOf(plain[index] ?? run))
        assert.ok(isUsed, `--${option} is accepted and dropped: ${runs[0]?.stderr}`)
      }
    }
  })
}

test('trigger and change show the environment that is named, a trigger also as its group', async () => {
  for (const [command, kind] of [
    ['trigger', 'alert'],
    ['change', 'change'],
  ] as const) {
    const { stdout } = await dryRun([command, '--summary', 's'], ['--environment', 'production'])
    const { body } = JSON.parse(stdout) as { body: { payload: Record<string, unknown> } }
    assert.deepEqual(body.payload['custom_details'], { environment: 'production' })
    assert.equal(body.payload['group'], kind === 'alert' ? 'production' : undefined)
  }
})

const DECORATION: [string[], RegExp][] = [
  [['--link', 'runbook'], /warning: --link: 1 of 1 links dropped: href must be an http\(s\) URL/],
  [
    ['--image', 'http://a.example/i.png'],
    /warning: --image: 1 of 1 images dropped: src must be an https URL/,
  ],
  [
    ['--client-url', '$BUILD_URL'],
    /warning: --client-url: client_url must be an http\(s\) URL, so it is left out/,
  ],
  [['--timestamp', '2020-01-02T03:04:05'], /warning: --timestamp: has no zone, so it is taken for UTC/],
]
for (const [options, warning] of DECORATION) {
  test(`a failure is reported with ${options.join(' ')}, and a warning`, async () => {
    const { code, stdout, stderr } = await dryRun(['failure'], options)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /"event_action":"trigger"/)
    assert.match(stderr, warning)
  })
}

test("the program's own secrets are masked in whatever text they got into", async () => {
  const env = {
    ...ENV,
    CI_COMMIT_MESSAGE: `Rotate ${KEY}`,
    CI_BRANCH: `try-${KEY}`,
    PAGERDUTY_DETAILS: JSON.stringify({ [KEY]: [Buffer.from(KEY).toString('base64')] }),
    PAGERDUTY_RELAY_TOKEN: 'relay-token-0123456789',
  }
  const lines = [
    ['success', '--as', 'both'],
    ['failure', '--component', 'relay-token-0123456789'],
    ['change', '--summary', `s ${KEY}`],
    ['trigger', '--summary', `${'s'.repeat(1010)}${KEY}`],
    ['resolve', '--dedup-key', `${'k'.repeat(180)}${KEY}${'k'.repeat(100)}`],
  ]
  for (const line of lines) {
    const { code, stdout, stderr } = await runProgram([...line, '--dry-run'], { env })
    assert.equal(code, 0, stderr)
    for (const secret of [KEY.slice(0, 8), 'relay-token', Buffer.from(KEY).toString('base64').slice(0, 12)])
      assert.ok(!(stdout + stderr).includes(secret), line.join(' '))
  }
})

test('send refuses a reference to a secret of the program, but for its routing key', async () => {
  const reference = '{"payload":{"summary":"${PAGERDUTY_TOKEN}"}}'
  const refused = await runProgram(['send', '--dry-run'], { env: ENV, stdin: reference })
  assert.equal(refused.code, 64)
  assert.match(refused.stderr, /refers to secrets of this program: \$\{PAGERDUTY_TOKEN\}/)
  assert.ok(!refused.stderr.includes(KEY))
  const stdin = '{"routing_key":"${PAGERDUTY_TOKEN}","payload":{"summary":"${MESSAGE}"}}'
  const sent = await runProgram(['send', '--dry-run'], { env: { ...ENV, MESSAGE: `of ${KEY}` }, stdin })
  assert.equal(sent.code, 0, sent.stderr)
  assert.match(sent.stdout, /"routing_key":"…cdef","payload":\{.*"summary":"of …cdef"/)
})
