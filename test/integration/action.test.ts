import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { SETTING_LIST } from '../../src/config/settings.ts'
import { startSimulator } from '../simulator/simulator.ts'
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

async function start(inputs: Readonly<Record<string, string>>): Promise<Run> {
  const given = { token: KEY, 'events-url': simulator.url, ...inputs }
  const variables = Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])
  return await runProcess([process.execPath, ENTRY], { env: { ...GITHUB, ...Object.fromEntries(variables) } })
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

test('the step fails with the program’s status, and the outcome is there all the same', async () => {
  simulator.behave({ behaviour: { kind: 'answer', status: 400 } })
  assert.equal((await start({ command: 'failure' })).code, 65)
  assert.equal(outputs()['outcome'], 'refused')
  assert.equal((await start({ command: 'serve' })).code, 64)
})

test('every input but the command is a setting by the name of its variable', () => {
  const variables = new Set(SETTING_LIST.map(({ variable }) => variable))
  const unknown = Object.keys(action.inputs)
    .filter((name) => name !== 'command')
    .filter((name) => !variables.has(`PAGERDUTY_${name.toUpperCase().replaceAll('-', '_')}`))
  assert.deepEqual(unknown, [])
})
