import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY, runProgram, startProgram, type Run } from '../support/program.ts'

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => simulator.reset())

const OTHER_KEY = 'someRoutingKeybfa2a710673888f520'
const OUTSIDE = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url }
const ENV = { ...CODESHIP_PRO, ...OUTSIDE }

async function run(args: string[], env: Record<string, string> = ENV, stdin = ''): Promise<Run> {
  return await runProgram(args, { env, stdin })
}
const paths = (): string[] => simulator.requests.map(({ path }) => path).toSorted()

test('a failed and then a good deployment: one alert, opened and resolved, and one change event', async () => {
  const failed = await run(['failure'])
  assert.deepEqual([failed.code, failed.stdout], [0, ''])
  assert.match(failed.stderr, /^pagerduty-alert: trigger of deploy\/acme\/shop\/master: accepted \(202\)$/m)
  assert.deepEqual(
    simulator.alerts.map(({ status, dedupKey }) => [status, dedupKey]),
    [['triggered', 'deploy/acme/shop/master']],
  )
  assert.match(simulator.alerts[0]?.title ?? '', /acme\/shop@5f0c1d2/)

  const good = await run(['success'])
  assert.equal(good.code, 0)
  assert.equal(simulator.alerts[0]?.status, 'resolved')
  assert.equal(simulator.changes.length, 1)
  assert.match(String(simulator.changes[0]?.payload.summary), /acme\/shop@5f0c1d2/)
})

test('however often a deployment fails, it is one alert', async () => {
  await run(['failure'])
  await run(['failure'], { ...ENV, CI_BUILD_ID: 'another', CI_COMMIT_ID: 'f'.repeat(40) })
  assert.deepEqual(
    simulator.alerts.map(({ triggers }) => triggers),
    [2],
  )
})

for (const args of [[], ['true'], ['pagerduty-alert'], ['pagerduty-alert', 'success'], ['pagerduty.sh']]) {
  test(`"${args.join(' ')}" is a success`, async () => {
    assert.equal((await run(args)).code, 0)
    assert.deepEqual(paths(), ['/v2/change/enqueue', '/v2/enqueue'])
  })
}

const STATUSES: [string, string[]][] = [
  ['failure', ['trigger']],
  ['1', ['trigger']],
  ['0', ['change', 'resolve']],
  ['cancelled', ['change']],
  ['SucceededWithIssues', ['change', 'resolve']],
  ['UNSTABLE', ['trigger']],
  ['-1', ['trigger']],
  ['skipped', []],
  ['a word that nobody knows', ['trigger']],
]
for (const [status, expected] of STATUSES) {
  test(`PAGERDUTY_STATUS=${status} without a command sends ${expected.join(' and ')}`, async () => {
    assert.equal((await run([], { ...ENV, PAGERDUTY_STATUS: status })).code, 0)
    const sent = simulator.requests.map(
      ({ json }) => (json as { event_action?: string }).event_action ?? 'change',
    )
    assert.deepEqual(sent.toSorted(), expected)
  })
}

test('a skipped job needs no key, and says that there is nothing to report', async () => {
  const { code, stdout, stderr } = await run(['--json'], {
    ...OUTSIDE,
    PAGERDUTY_TOKEN: '',
    PAGERDUTY_STATUS: 'NOT_BUILT',
  })
  assert.equal(code, 0)
  assert.deepEqual(JSON.parse(stdout), { command: 'skipped', outcome: 'skipped', exit_code: 0, events: [] })
  assert.match(stderr, /nothing to report: the job was skipped/)
})

test('an unknown status causes a warning, with the name of its setting and without the word', async () => {
  const { stderr } = await run(['--status', 'exploded'])
  assert.match(stderr, /--status: unknown word, reported as a failure/)
  assert.doesNotMatch(stderr, /exploded/)
})

test('an alert from options is triggered under a printed key, acknowledged and resolved by it', async () => {
  const { stdout, code } = await run(
    ['trigger', '--summary', 'Migration is stuck', '--severity', 'WARNING'],
    OUTSIDE,
  )
  assert.equal(code, 0)
  const key = stdout.trim()
  assert.match(stdout, /^pagerduty-alert\/[0-9a-f-]{36}\n$/)
  assert.equal(simulator.alerts[0]?.event.payload?.severity, 'warning')
  assert.equal((await run(['acknowledge', '--dedup-key', key], OUTSIDE)).code, 0)
  assert.equal(simulator.alerts[0]?.status, 'acknowledged')
  assert.equal((await run(['resolve', '--dedup-key', key], OUTSIDE)).code, 0)
  assert.equal(simulator.alerts[0]?.status, 'resolved')
})

test('--json prints one line instead', async () => {
  const { stdout } = await run(['trigger', '--summary', 's', '--json'])
  const { events, ...rest } = JSON.parse(stdout) as { events: Record<string, unknown>[] }
  assert.deepEqual(rest, { command: 'trigger', outcome: 'accepted', exit_code: 0 })
  assert.equal(typeof events[0]?.duration_ms, 'number')
  assert.deepEqual(
    { ...events[0], duration_ms: 0 },
    {
      kind: 'alert',
      action: 'trigger',
      endpoint: '/v2/enqueue',
      outcome: 'accepted',
      status: 202,
      dedup_key: 'deploy/acme/shop/master',
      attempts: 1,
      duration_ms: 0,
    },
  )
})

test('change takes everything from options', async () => {
  const args = [
    'change',
    '--summary',
    'Flag on',
    '--detail',
    'a.b=1',
    '--detail',
    'c=false',
    '--link',
    'https://a.example|A',
  ]
  assert.equal(
    (await run([...args, '--timestamp', '0', '--image', 'https://a.example/i.png'], OUTSIDE)).code,
    0,
  )
  const [change] = simulator.changes
  assert.deepEqual(change?.payload.custom_details, { a: { b: 1 }, c: false })
  assert.equal(change?.payload.timestamp, '1970-01-01T00:00:00.000Z')
  assert.deepEqual(
    [change?.links, change?.images],
    [[{ href: 'https://a.example', text: 'A' }], [{ src: 'https://a.example/i.png' }]],
  )
})

test('every event goes to every key, and one failing does not stop or repeat the others', async () => {
  const strict = await startSimulator({ knownKeys: [KEY] })
  try {
    const env = {
      ...ENV,
      PAGERDUTY_EVENTS_URL: strict.url,
      PAGERDUTY_ROUTING_KEY: `web=${KEY},api=${OTHER_KEY}`,
    }
    const { code, stderr } = await run(['success'], env)
    assert.equal(code, 65)
    assert.equal(strict.requests.length, 4)
    assert.equal(strict.changes.length, 1)
    assert.match(stderr, /change event \(key web\): accepted/)
    assert.match(stderr, /change event \(key api\): refused with 400: Invalid routing key/)
  } finally {
    await strict.close()
  }
})

test('send takes an event from a file or from stdin, with references, and fills what is missing', async (t) => {
  const event = {
    event_action: 'Trigger',
    payload: {
      summary: 'On ${CI_BRANCH}: $${literal}',
      severity: 'Info',
      custom_details: { n: null, f: false },
    },
  }
  const directory = mkdtempSync(join(tmpdir(), 'send-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'event.json')
  writeFileSync(file, JSON.stringify(event))
  for (const [args, stdin] of [
    [['send', file], ''],
    [['send'], JSON.stringify(event)],
    [['send', '-'], `\ufeff${JSON.stringify(event)}`],
  ] as const) {
    simulator.reset()
    assert.equal((await run([...args], ENV, stdin)).code, 0)
    const [alert] = simulator.alerts
    assert.equal(alert?.title, 'On master: ${literal}')
    assert.equal(alert?.dedupKey, 'deploy/acme/shop/master')
    assert.deepEqual(
      [alert?.event.payload?.source, alert?.event.payload?.severity, alert?.event.payload?.custom_details],
      ['acme/shop', 'info', { f: false }],
    )
  }
})

test('send and a secret’s file may be UTF-16, as PowerShell writes files', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'send-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const payload = { summary: 'Überlast', source: 's', severity: 'info' }
  const event = Buffer.from(`\ufeff${JSON.stringify({ event_action: 'trigger', payload })}\r\n`, 'utf16le')
  const [file, keyFile] = [join(directory, 'event.json'), join(directory, 'key')]
  writeFileSync(file, event.swap16())
  writeFileSync(keyFile, `\ufeff${KEY}\r\n`, 'utf16le')
  const { PAGERDUTY_TOKEN: _, ...env } = ENV
  assert.equal((await run(['send', file], { ...env, PAGERDUTY_TOKEN_FILE: keyFile })).code, 0)
  assert.equal(simulator.alerts[0]?.title, 'Überlast')
})

test('send reads no more from stdin than an event can need', async () => {
  const { child, ended } = startProgram(['send'], { env: ENV, isStdinOpen: true })
  const chunk = Buffer.alloc(1024 * 1024, 'x')
  const feed = (): void => {
    while (child.stdin.writable && child.stdin.write(chunk));
  }
  child.stdin.on('drain', feed)
  feed()
  const { code, stderr } = await ended
  assert.equal(code, 64)
  assert.match(stderr, /the event on stdin cannot be read: it is too large/)
})

test("send uses the event's own key, and its own values win over options", async () => {
  const event = { routing_key: '${MY_KEY}', payload: { summary: 'own', source: 'own' } }
  const { PAGERDUTY_TOKEN: _, ...env } = ENV
  assert.equal(
    (
      await run(
        ['send', '--summary', 'option', '--source', 'option'],
        { ...env, MY_KEY: OTHER_KEY },
        JSON.stringify(event),
      )
    ).code,
    0,
  )
  const [change] = simulator.changes
  assert.deepEqual(
    [change?.routing_key, change?.payload.summary, change?.payload.source],
    [OTHER_KEY, 'own', 'own'],
  )
})

test('a dry run opens no connection and prints each request with the key masked', async () => {
  const { code, stdout, stderr } = await run(['success', '--dry-run', '--environment', 'eu'])
  assert.equal(code, 0)
  assert.deepEqual(simulator.requests, [])
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { method: string; url: string; body: Record<string, unknown> })
  assert.deepEqual(
    lines.map(({ method, url, body }) => [method, url, body.routing_key]),
    [
      ['POST', `${simulator.url}/v2/change/enqueue`, '…cdef'],
      ['POST', `${simulator.url}/v2/enqueue`, '…cdef'],
    ],
  )
  assert.match(stderr, /environment: eu \(--environment\)/)
  assert.match(
    stderr,
    /dedup key: deploy\/acme\/shop\/eu \(repository from CI_REPO_NAME, environment from --environment\)/,
  )
})

test('what is not set never shows: no 0, false, undefined or null, blanks everywhere', async () => {
  const blanks = Object.fromEntries(Object.keys(CODESHIP_PRO).map((name) => [name, ' ']))
  const placeholders = {
    CI_PR_NUMBER: '0',
    CI_PULL_REQUEST: 'false',
    CI_BUILD_APPROVED: 'false',
    PAGERDUTY_LINKS: '[]',
  }
  for (const args of [['success'], ['failure'], ['success', '--as', 'both']]) {
    for (const env of [
      { ...OUTSIDE, ...blanks, ...placeholders },
      { ...ENV, ...placeholders, CI_COMMITTER_NAME: '', CI_COMMIT_DESCRIPTION: '' },
    ]) {
      assert.equal((await run(args, env)).code, 0)
    }
  }
  for (const { body } of simulator.requests) {
    assert.doesNotMatch(body.toString(), /undefined|null|false|"0"|:0[,}]|""|: *[,}]/)
  }
})

test('a commit message of 5,000 hostile characters arrives on both endpoints, cut to the limit', async () => {
  const message = `${'"quotes" \'single\' \\ \t \u0001\u001b[31m é 😀 $(x) `y` '.repeat(140)}\nsecond line\n`
  assert.ok(message.length > 5000)
  for (const command of ['success', 'failure']) {
    assert.equal((await run([command], { ...ENV, CI_COMMIT_MESSAGE: message })).code, 0)
  }
  const payloads = [simulator.changes[0]?.payload, simulator.alerts[0]?.event.payload]
  for (const payload of payloads) {
    assert.ok(payload && payload.summary.length <= 1024 && payload.summary.endsWith('…'))
    assert.equal((payload.custom_details as { commit_message: string }).commit_message, message.trim())
  }
})

test('--verbose tells every attempt, and nothing secret', async () => {
  const attempts = async (args: string[]): Promise<string[]> => {
    simulator.reset()
    simulator.behave({
      times: 1,
      behaviour: { kind: 'answer', status: 503, headers: { 'retry-after': '0' } },
    })
    const { code, stderr } = await run(['failure', ...args])
    assert.equal(code, 0)
    assert.ok(!stderr.includes(KEY))
    const line = /^pagerduty-alert: trigger of \S+: POST (\S+), (\d+) bytes: (.*) \(after \d+ ms\)$/gm
    return [...stderr.matchAll(line)].map(([, url, size, answer]) => `${url} ${size} ${answer}`)
  }
  assert.deepEqual(await attempts([]), [])
  const told = await attempts(['--verbose'])
  const [request] = simulator.requests
  const start = `${simulator.url}/v2/enqueue ${request?.body.length}`
  assert.deepEqual(told, [`${start} 503: Service Unavailable`, `${start} 202`])
})

test('a reader that goes away does not change the result', async () => {
  const { spawn } = await import('node:child_process')
  const { BIN } = await import('../support/program.ts')
  const child = spawn(process.execPath, [BIN, 'trigger', '--summary', 's'], {
    env: ENV,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  child.stdout.destroy()
  const code = await new Promise((resolve) => child.on('close', resolve))
  assert.equal(code, 0)
  assert.equal(simulator.alerts.length, 1)
})

/** In the form of the example on Codeship's PagerDuty page: its comment, its indentation, its placeholders. */
const PAGE = `/*
  A trigger event: PagerDuty makes the key
  and returns it.
*/

{
  "payload": {
    "summary": "Example alert on host1.example.com",
    "timestamp": "2015-07-17T08:42:58.315+0000",
    "source": "monitoringtool:cloudvendor:central-region-dc-01:852559987:cluster/api-stats-prod-003",
    "severity": "info",
    "component": "postgres",
    "group": "prod-datapipe",
    "class": "deploy",
    "custom_details": {
      "ping time": "1500ms",
      "load avg": 0.75
    }
  },
  "routing_key": "samplekeyhere",
  "dedup_key": "samplekeyhere",
  "images": [{
  \t"src": "https://www.pagerduty.com/wp-content/uploads/2016/05/pagerduty-logo-green.png",
  \t"href": "https://example.com/",
  \t"alt": "Example text"
  }
  \t],
  "event_action": "trigger",
  "client": "Sample Monitoring Service",
  "client_url": "https://monitoring.example.com"
}
`

test('send takes the example of Codeship’s PagerDuty page as it stands, with the configured key', async () => {
  const { code, stderr } = await run(['send'], ENV, PAGE)
  assert.equal(code, 0, stderr)
  assert.match(stderr, /routing_key: this is the placeholder of an example, so the configured key is used/)
  const { routing_key: key, payload, links, ...rest } = simulator.requests[0]!.json as Record<string, unknown>
  const {
    payload: written,
    routing_key: _,
    ...others
  } = JSON.parse(PAGE.slice(PAGE.indexOf('{'))) as Record<string, object>
  assert.equal(key, KEY)
  assert.deepEqual(payload, { ...written, timestamp: '2015-07-17T08:42:58.315Z' })
  assert.deepEqual(rest, others)
  assert.match(JSON.stringify(links), /Codeship build/) // what the event leaves out, the build fills in
  const keyless = await run(['send'], { ...ENV, PAGERDUTY_TOKEN: '' }, PAGE)
  assert.equal(keyless.code, 78)
  assert.match(keyless.stderr, /no key is set/)
})

test('send takes comments as in the JSON of Codeship’s PagerDuty page, and names the line that is wrong', async () => {
  const document = `{
  "payload": {
    "summary": "Deployed", // shown to responders
    /* where it
       happened */
    "severity": "info",
    "source": "https://example.com//not-a-comment"
  },
  "event_action": "trigger"
}`
  assert.equal((await run(['send'], ENV, document)).code, 0)
  const { payload } = simulator.requests[0]!.json as { payload: { source: string } }
  assert.equal(payload.source, 'https://example.com//not-a-comment')
  const broken = await run(['send'], ENV, document.replace('"info",', '"info"'))
  assert.equal(broken.code, 64)
  assert.match(broken.stderr, /not valid JSON near line 7/)
})
