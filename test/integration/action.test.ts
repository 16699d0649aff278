import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { SETTING_LIST } from '../../src/config/settings.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { KEY, type Run } from '../support/program.ts'
import { runProcess } from '../support/shell-script.ts'

/*
 * The action as a runner starts it: its entry, inputs as INPUT_* variables, a file for the outputs.
 */

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>
  readonly outputs: Readonly<Record<string, unknown>>
  readonly runs: { readonly using: string; readonly main: string }
}
const ROOT = new URL('../../', import.meta.url)
const action = parse(readFileSync(new URL('action.yml', ROOT), 'utf8')) as Action
const ENTRY = fileURLToPath(new URL(action.runs.main, ROOT))

const simulator = await startSimulator()
const scratch = mkdtempSync(join(tmpdir(), 'action-'))
const OUTPUT = join(scratch, 'output')
after(async () => {
  await simulator.close()
  rmSync(scratch, { recursive: true })
})
beforeEach(() => {
  simulator.reset()
  writeFileSync(OUTPUT, '')
})

const GITHUB = {
  GITHUB_ACTIONS: 'true',
  GITHUB_REPOSITORY: 'acme/shop',
  GITHUB_REF_NAME: 'main',
  GITHUB_SHA: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_RUN_ID: '42',
  GITHUB_OUTPUT: OUTPUT,
}

/** @param job the variables of the job that runs the action */
async function start(
  inputs: Readonly<Record<string, string>>,
  job: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const given = { token: KEY, 'events-url': simulator.url, ...inputs }
  const variables = Object.entries(given).map(([name, value]): [string, string] => [
    `INPUT_${name.toUpperCase()}`,
    value,
  ])
  return await runProcess([process.execPath, ENTRY], {
    env: { ...GITHUB, ...job, ...Object.fromEntries(variables) },
  })
}

function outputs(): Record<string, string> {
  const blocks = readFileSync(OUTPUT, 'utf8').matchAll(/^(.+)<<(.+)\n([\s\S]*?)\n\2$/gm)
  return Object.fromEntries([...blocks].map(([, name = '', , value = '']) => [name, value]))
}

test('the status of the job decides what is sent', async () => {
  assert.equal((await start({ status: 'failure', environment: 'production' })).code, 0)
  assert.equal(simulator.alerts[0]?.status, 'triggered')
  assert.deepEqual(outputs(), { outcome: 'accepted', 'dedup-key': 'deploy/acme/shop/production' })
  assert.equal((await start({ status: 'success', environment: 'production' })).code, 0)
  assert.equal(simulator.alerts[0]?.status, 'resolved')
})

test('inputs are never read as code', async () => {
  const summary = '$(touch owned) `id` "; rm -rf / #\noutcome<<x\nforged\nx'
  assert.equal((await start({ command: 'trigger', summary, 'dedup-key': 'k\nv' })).code, 0)
  assert.equal(simulator.alerts[0]?.title, summary)
  assert.deepEqual(Object.keys(outputs()).toSorted(), ['dedup-key', 'outcome'])
  assert.equal(outputs()['outcome'], 'accepted')
})

test('the step fails with the program’s status, and the outcome is set anyway', async () => {
  simulator.behave({ behaviour: { kind: 'answer', status: 400 } })
  assert.equal((await start({ command: 'failure' })).code, 65)
  assert.equal(outputs()['outcome'], 'refused')
  assert.equal((await start({ command: 'serve' })).code, 64)
})

const OTHER_KEY = 'fedcba9876543210fedcba9876543210'
const NOBODY = 'http://127.0.0.1:9'
const KEY_FILE = join(scratch, 'key')
writeFileSync(KEY_FILE, OTHER_KEY)
const JOBS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'another key': { PAGERDUTY_ROUTING_KEY: OTHER_KEY },
  'another key under its own name': { PAGERDUTY_TOKEN: OTHER_KEY },
  'a file with another key': { PAGERDUTY_TOKEN_FILE: KEY_FILE },
  'a file with another routing key': { PAGERDUTY_ROUTING_KEY_FILE: KEY_FILE },
  'a file that is missing': { PAGERDUTY_TOKEN_FILE: join(scratch, 'none') },
  'a REST API token': { PAGERDUTY_API_TOKEN: 'u+abcdefghijklmnopqr', PAGERDUTY_API_URL: NOBODY },
  'a relay': { PAGERDUTY_RELAY_URL: NOBODY, PAGERDUTY_RELAY_TOKEN: 'token-of-the-relay' },
  'another address': { PAGERDUTY_EVENTS_URL: NOBODY },
  'other texts': { PAGERDUTY_SUMMARY: 'the job’s', PAGERDUTY_DEDUP_KEY: 'job', PAGERDUTY_ENVIRONMENT: 'job' },
}
for (const [what, job] of Object.entries(JOBS)) {
  test(`an input wins over the job’s variables: ${what}`, async () => {
    const inputs = { summary: 'the input’s', 'dedup-key': 'input', environment: 'input' }
    const { code, stderr } = await start({ command: 'trigger', ...inputs }, job)
    assert.equal(code, 0, stderr)
    const [alert] = simulator.alerts
    assert.deepEqual([alert?.routingKey, alert?.title, alert?.dedupKey], [KEY, 'the input’s', 'input'])
    assert.equal(JSON.stringify(alert?.event).includes('"job"'), false)
  })
}

test('the region that is given wins over the address of the job, even if no event can get there', async () => {
  const { stderr } = await start(
    { 'events-url': '', region: 'eu', deadline: '300ms' },
    { PAGERDUTY_EVENTS_URL: simulator.url, HTTPS_PROXY: NOBODY },
  )
  assert.match(stderr, /not delivered/)
  assert.deepEqual(simulator.requests, [])
})

test('what no input says the job’s variables say', async () => {
  const job = { PAGERDUTY_ROUTING_KEY: OTHER_KEY, PAGERDUTY_ENVIRONMENT: 'staging' }
  assert.equal((await start({ token: '', status: 'failure' }, job)).code, 0)
  const [alert] = simulator.alerts
  assert.deepEqual([alert?.routingKey, alert?.dedupKey], [OTHER_KEY, 'deploy/acme/shop/staging'])
})

for (const [inputs, dedupKey] of [
  [{}, 'deploy/acme/shop/main'],
  [{ matrix: 'null' }, 'deploy/acme/shop/main'],
  [{ matrix: '{}' }, 'deploy/acme/shop/main'],
  [{ matrix: '{\n  "region": "eu",\n  "node": 24\n}' }, 'deploy/acme/shop/main/eu, 24'],
  [{ matrix: '{"target":{"os":"linux","arch":["arm64"]}}' }, 'deploy/acme/shop/main/linux, arm64'],
  [{ step: 'web', matrix: '{"region":"eu"}' }, 'deploy/acme/shop/main/web'],
  [{ step: '--web' }, 'deploy/acme/shop/main/--web'],
] as const) {
  test(`the alert of ${JSON.stringify(inputs)} is ${dedupKey}`, async () => {
    const { code, stderr } = await start({ status: 'failure', ...inputs })
    assert.equal(code, 0, stderr)
    assert.equal(simulator.alerts[0]?.dedupKey, dedupKey)
    assert.equal((await start({ status: 'success', ...inputs })).code, 0)
    assert.equal(simulator.alerts[0]?.status, 'resolved')
  })
}

/** Variables of a run for a pull request whose branch is in this repository; null: one that was deleted. */
function pullRequest(fullName: string | null, event = 'pull_request'): Record<string, string> {
  const path = join(scratch, `${randomUUID()}.json`)
  const repo = fullName === null ? null : { full_name: fullName }
  writeFileSync(path, JSON.stringify({ pull_request: { number: 12, head: { repo } } }))
  return { GITHUB_EVENT_NAME: event, GITHUB_EVENT_PATH: path }
}

test('a pull request from a fork, which gets no token, ends with 0 and a notice', async () => {
  for (const job of [pullRequest('somebody/shop'), pullRequest(null), { GITHUB_ACTOR: 'dependabot[bot]' }]) {
    writeFileSync(OUTPUT, '')
    const { code, stdout } = await start({ token: '', status: 'failure' }, job)
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^::notice title=PagerDuty alert::Nothing is sent: there is no token, and a .* get them\n$/,
    )
    assert.deepEqual(outputs(), { outcome: 'skipped', 'dedup-key': '' })
  }
  assert.deepEqual(simulator.requests, [])
})

test('with a token or a relay, a fork sends too', async () => {
  const job = pullRequest('somebody/shop')
  assert.equal((await start({ status: 'failure' }, job)).code, 0)
  assert.equal(
    (await start({ token: '', status: 'failure' }, { ...job, PAGERDUTY_TOKEN_FILE: KEY_FILE })).code,
    0,
  )
  assert.equal(simulator.requests.length, 2)
})

test('elsewhere a missing token is a mistake', async () => {
  for (const job of [{}, pullRequest('acme/shop'), pullRequest('somebody/shop', 'pull_request_target')])
    assert.equal((await start({ token: '', status: 'failure' }, job)).code, 78)
})

test('the default of matrix is the job’s own, which only GitHub can fill in', () => {
  assert.equal(action.inputs['matrix']?.default, '${{ toJSON(matrix) }}')
})

test('every input but command, step and matrix is a setting by the name of its variable', () => {
  const variables = new Set(SETTING_LIST.map(({ variable }) => variable))
  const unknown = Object.keys(action.inputs)
    .filter((name) => !['command', 'step', 'matrix'].includes(name))
    .filter((name) => !variables.has(`PAGERDUTY_${name.toUpperCase().replaceAll('-', '_')}`))
  assert.deepEqual(unknown, [])
})
