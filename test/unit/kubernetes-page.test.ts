import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { parseCommandLine } from '../../src/cli/args.ts'
import { SETTING_LIST } from '../../src/config/settings.ts'
import { containerOf, problemsOf, recipe, type Manifest } from '../support/kubernetes.ts'

const RECIPES = ['helm-hook', 'argocd-hooks', 'cluster-relay', 'argocd-notifications', 'flux']
const page = readFileSync(new URL('../../docs/kubernetes.md', import.meta.url), 'utf8')

test('every recipe of docs/kubernetes.md is tried here', () => {
  const names = [...page.matchAll(/^```yaml (\S+)$/gm)].map(([, name]) => name)
  assert.deepEqual(new Set(names), new Set([...RECIPES, 'prometheus']))
})

for (const name of RECIPES) {
  for (const manifest of recipe(name)) {
    test(`${name}: ${manifest.kind} ${manifest.metadata.name} is what Kubernetes' own schema asks for`, () => {
      assert.deepEqual(problemsOf(manifest), [])
    })
  }
}

test('the schemas notice a misspelt member, a wrong type, and one that is missing', () => {
  const [job] = recipe('argocd-hooks')
  assert.ok(job)
  const { template, ...spec } = job.spec as { template: object }
  const broken: [Manifest, RegExp][] = [
    [{ ...job, spec: { ...job.spec, backOffLimit: 3 } }, /backOffLimit/],
    [{ ...job, spec: { ...job.spec, backoffLimit: '3' } }, /backoffLimit must be number/],
    [{ ...job, spec }, /template/],
    [{ ...job, kind: 'CronTab' }, /no schema/],
  ]
  assert.ok(template)
  for (const [manifest, problem] of broken) assert.match(problemsOf(manifest).join('\n'), problem)
  const [provider] = recipe('flux')
  assert.ok(provider)
  assert.match(problemsOf({ ...provider, spec: { type: 'webhook' } }).join('\n'), /allowed values/)
})

const JOBS = [...recipe('helm-hook'), ...recipe('argocd-hooks')]

for (const job of JOBS) {
  test(`${job.metadata.name}: the program understands its arguments, and knows its variables`, () => {
    const { args, env } = containerOf(job)
    assert.doesNotThrow(() => parseCommandLine(args))
    const known = new Set(SETTING_LIST.map(({ variable }) => variable))
    for (const { name } of env) assert.ok(known.has(name) || name.startsWith('CI_'), name)
  })

  test(`${job.metadata.name}: Kubernetes gives up later than the program`, () => {
    const { activeDeadlineSeconds, backoffLimit } = job.spec ?? {}
    const deadlineS = 120
    assert.ok(containerOf(job).args.join(' ').endsWith('--deadline 2m'))
    assert.ok(Number(activeDeadlineSeconds) > Number(backoffLimit) * deadlineS)
  })
}

/** https://helm.sh/docs/topics/charts_hooks/ and https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/ */
const HOOKS: Readonly<Record<string, readonly string[]>> = {
  'helm.sh/hook': ['post-install', 'post-upgrade', 'post-rollback'],
  'helm.sh/hook-weight': ['100'],
  'helm.sh/hook-delete-policy': ['before-hook-creation', 'hook-succeeded'],
  'argocd.argoproj.io/hook': ['PostSync', 'SyncFail'],
  'argocd.argoproj.io/hook-delete-policy': ['BeforeHookCreation'],
}

test('the annotations of the hooks are those that Helm and Argo CD know', () => {
  for (const { metadata } of JOBS) {
    const annotations = Object.entries(metadata.annotations ?? {})
    assert.ok(annotations.length >= 2)
    for (const [name, value] of annotations)
      for (const word of value.split(',')) assert.ok(HOOKS[name]?.includes(word), `${name}: ${word}`)
  }
})

test('the relay of the cluster finds its secrets and its spool where they are mounted', () => {
  const [claim, deployment, service] = recipe('cluster-relay')
  assert.ok(claim && deployment && service)
  const { env, volumeMounts = [] } = containerOf(deployment)
  const mounted = Object.fromEntries(volumeMounts.map(({ name, mountPath }) => [name, mountPath]))
  const keys = [...page.matchAll(/--from-literal=([\w-]+)="\$\(openssl|--from-literal=(token)=/g)].map(
    ([, key, token]) => key ?? token,
  )
  for (const { name, value = '' } of env.filter((one) => one.name.endsWith('_FILE'))) {
    const file = value.replace(`${mounted['secrets']}/`, '')
    assert.ok(keys.includes(file), `${name}: ${value}`)
  }
  assert.equal(env.find(({ name }) => name === 'PAGERDUTY_SPOOL')?.value, mounted['spool'])
  const { selector } = service.spec as { selector: object }
  const { template } = deployment.spec as { template: { metadata: { labels: object } } }
  assert.deepEqual(selector, template.metadata.labels)
  assert.equal(service.metadata.namespace, 'pagerduty')
})

test('everything that is sent to the relay has the address of its service', () => {
  const [, , service] = recipe('cluster-relay')
  const { name = '', namespace = '' } = service?.metadata ?? {}
  const hosts = [...page.matchAll(/(pagerduty-alert\.[a-z]+):8080/g)].map(([, host]) => host)
  assert.ok(hosts.length >= 4)
  for (const host of hosts) assert.equal(host, `${name}.${namespace}`)
})

test('Argo CD’s settings are YAML, and its trigger sends the template through the webhook', () => {
  const { data = {} } = recipe('argocd-notifications')[0] ?? {}
  const triggers = parse(data['trigger.deployment'] ?? '') as { when: string; send: string[] }[]
  const phases = triggers.flatMap(({ when }) => [...when.matchAll(/'(\w+)'/g)].map(([, phase]) => phase))
  assert.deepEqual(phases, ['Running', 'Succeeded', 'Error', 'Failed'])
  for (const { send } of triggers)
    for (const name of send) assert.ok(Object.hasOwn(data, `template.${name}`), name)
  const { webhook } = parse(data['template.pagerduty-alert'] ?? '') as { webhook: object }
  for (const name of Object.keys(webhook)) assert.ok(Object.hasOwn(data, `service.webhook.${name}`), name)
})
