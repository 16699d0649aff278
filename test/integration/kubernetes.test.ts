import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { containerOf, recipe, type Manifest } from '../support/kubernetes.ts'
import { KEY, runProgram } from '../support/program.ts'
import { startRelay } from '../support/relay.ts'
import { programPath, skipWithout } from '../support/required.ts'
import { until } from '../support/until.ts'

/* The recipes of docs/kubernetes.md, with what Helm, Argo CD, Flux and Kubernetes do around them played here. */

const HOOK_SECRET = 'a-secret-of-the-hooks'
const RULES = fileURLToPath(new URL('../../docs/prometheus-rules.yaml', import.meta.url))

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-'))
const simulator = await startSimulator()
const relay = await startRelay({
  PAGERDUTY_TOKEN: KEY,
  PAGERDUTY_EVENTS_URL: simulator.url,
  PAGERDUTY_SPOOL: folder,
  PAGERDUTY_RELAY_TOKEN: 'a-token-of-the-relay',
  PAGERDUTY_RELAY_VIEW_TOKEN: 'a-token-that-looks',
  PAGERDUTY_HOOK_SECRET: HOOK_SECRET,
})
after(async () => {
  await relay.stop()
  await simulator.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => simulator.reset())

/** What Helm puts in for its templates. */
const HELM: Readonly<Record<string, string>> = {
  '.Release.Name': 'shop',
  '.Release.Namespace': 'production',
  '.Release.Revision': '7',
  '.Chart.AppVersion': '1.4.2',
}

function rendered(text: string): string {
  return text.replaceAll(/\{\{ (\S+) \}\}/g, (_, name: string) => HELM[name] ?? assert.fail(name))
}

/** Runs the program as the container of a Job does. */
async function runJob(job: Manifest): Promise<void> {
  const { args, env } = containerOf(job)
  const variables = env.map(({ name, value, valueFrom }): [string, string] => {
    if (valueFrom !== undefined) assert.deepEqual(valueFrom.secretKeyRef, { name: 'pagerduty', key: 'token' })
    return [name, valueFrom === undefined ? rendered(value ?? '') : KEY]
  })
  const { code, stderr } = await runProgram(args.map(rendered), {
    env: { ...Object.fromEntries(variables), PAGERDUTY_EVENTS_URL: simulator.url },
  })
  assert.equal(code, 0, stderr)
  assert.doesNotMatch(stderr, /warning/)
}

test('Helm: a release, and a rollback, are change events under the names of the release', async () => {
  for (const job of recipe('helm-hook'))
    // oxlint-disable-next-line no-await-in-loop -- in the order of the releases
    await runJob(job)
  const [release, rollback] = simulator.changes.map(({ payload }) => payload)
  assert.match(release?.summary ?? '', /^Deployed acme\/shop@1\.4\.2 to production/)
  assert.match(rollback?.summary ?? '', /^Rolled back acme\/shop@1\.4\.2 in production/)
  const details = release?.['custom_details'] as Record<string, unknown>
  assert.deepEqual([details['environment'], details['build_id']], ['production', 'shop-7'])
})

test('Argo CD: a sync that fails pages, and the next one that succeeds resolves that', async () => {
  const [success, failure] = recipe('argocd-hooks')
  assert.ok(success && failure)
  await runJob(failure)
  assert.deepEqual(
    simulator.alerts.map(({ dedupKey, status }) => [dedupKey, status]),
    [['deploy/acme/shop/production', 'triggered']],
  )
  await runJob(success)
  assert.equal(simulator.alerts[0]?.status, 'resolved')
  assert.equal(simulator.changes.length, 1)
})

/** The body of a captured webhook. */
function captured(system: string, name: RegExp): object {
  const file = new URL(`../fixtures/hooks/${system}.json`, import.meta.url)
  const pairs = JSON.parse(readFileSync(file, 'utf8')) as { name: string; body: object }[]
  return pairs.find((pair) => name.test(pair.name))?.body ?? assert.fail(String(name))
}

test('Argo CD’s notification gets through to the relay', async () => {
  const { data = {} } = recipe('argocd-notifications')[0] ?? {}
  const service = parse(data['service.webhook.pagerduty-alert'] ?? '') as {
    url: string
    headers: { name: string; value: string }[]
  }
  const { webhook } = parse(data['template.pagerduty-alert'] ?? '') as {
    webhook: Record<string, { method: string; body: string }>
  }
  const { method, body } = webhook['pagerduty-alert'] ?? assert.fail()
  const { app } = captured('argocd', /succeed/) as { app: object }
  const headers = service.headers.map(({ name, value }): [string, string] => [
    name,
    value.replace('$pagerduty-hook-secret', HOOK_SECRET),
  ])
  const { pathname, search } = new URL(service.url)
  const answer = await fetch(relay.url + pathname + search, {
    method,
    headers,
    body: body.replace('{{toJson .app}}', JSON.stringify(app)),
  })
  assert.equal(answer.status, 202, await answer.text())
  await until(() => simulator.changes.length > 0 && simulator.requests.length > 1, 'its events')
})

test('Flux’s event gets through to the relay, for the environment of the address', async () => {
  const { address } = recipe('flux')[0]?.spec ?? assert.fail()
  const { pathname, search } = new URL(String(address))
  const body = JSON.stringify(captured('flux', /fail/))
  const signature = createHmac('sha256', HOOK_SECRET).update(body).digest('hex')
  const answer = await fetch(relay.url + pathname + search, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-signature': `sha256=${signature}` },
    body,
  })
  assert.equal(answer.status, 202, await answer.text())
  await until(() => simulator.alerts.length > 0, 'the alert')
  assert.match(simulator.alerts[0]?.dedupKey ?? '', /\/production$/)
})

suite('alert rules', { skip: skipWithout('promtool') }, () => {
  const promtool = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(programPath('promtool'), args, { encoding: 'utf8' })
    assert.equal(status, 0, `${stdout}${stderr}`)
    return stdout
  }

  test('promtool accepts the alert rules, and the configuration that loads them', () => {
    promtool('check', 'rules', '--lint-fatal', RULES)
    const [config] = recipe('prometheus') as unknown as [Record<string, unknown>]
    const file = join(folder, 'prometheus.json') // JSON is YAML
    writeFileSync(file, JSON.stringify({ ...config, rule_files: [RULES] }))
    promtool('check', 'config', '--syntax-only', file)
  })

  test('each rule fires when it should, and none does when nothing is wrong', () => {
    promtool(
      'test',
      'rules',
      fileURLToPath(new URL('../fixtures/prometheus-rules.test.yaml', import.meta.url)),
    )
  })
})

test('each rule has its unit test, and names metrics that the relay has', async () => {
  const text = readFileSync(RULES, 'utf8')
  const { groups } = parse(text) as { groups: { rules: { alert: string; expr: string }[] }[] }
  const rules = groups.flatMap(({ rules: list }) => list)
  const tests = readFileSync(new URL('../fixtures/prometheus-rules.test.yaml', import.meta.url), 'utf8')
  for (const { alert } of rules) assert.match(tests, new RegExp(`alertname: ${alert}\n\\s+exp_alerts`), alert)
  const answer = await fetch(`${relay.url}/metrics`, {
    headers: { authorization: 'Bearer a-token-that-looks' },
  })
  assert.equal(answer.status, 200, 'the token that may only look is enough')
  const known = new Set([...(await answer.text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
  const named = rules.flatMap(({ expr }) =>
    [...expr.matchAll(/\bpagerduty_alert_\w+/g)].map(([name]) => name),
  )
  assert.ok(named.length >= 7)
  for (const name of named) assert.ok(known.has(name), name)
})
