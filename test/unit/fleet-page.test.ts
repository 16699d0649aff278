import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { parseCommandLine } from '../../src/cli/args.ts'
import { parseFleetUrl } from '../../src/config/fleet-url.ts'
import { SETTING_LIST } from '../../src/config/settings.ts'
import { containerOf, problemsOf, recipe, type Manifest } from '../support/kubernetes.ts'

const page = readFileSync(new URL('../../docs/fleet.md', import.meta.url), 'utf8')
const manifests = recipe('fleet', 'fleet.md')
const withPods = manifests.filter(({ kind }) => kind !== 'Service')
const known = new Set(SETTING_LIST.flatMap(({ variable }) => [variable, `${variable}_FILE`]))

test('the manifests of docs/fleet.md are what Kubernetes’ own schema asks for', () => {
  assert.deepEqual(
    manifests.map(({ kind }) => kind),
    ['StatefulSet', 'Service', 'Job'],
  )
  for (const manifest of manifests) assert.deepEqual(problemsOf(manifest), [], manifest.kind)
  const [set] = manifests
  assert.ok(set)
  const broken: Manifest = { ...set, spec: { ...set.spec, replica: 3 } }
  assert.match(problemsOf(broken).join('\n'), /replica/)
})

test('the program understands their arguments, variables and addresses', () => {
  for (const manifest of withPods) {
    const { args, env, volumeMounts = [] } = containerOf(manifest)
    assert.doesNotThrow(() => parseCommandLine(args))
    for (const { name, value } of env) {
      assert.ok(known.has(name), name)
      if (name === 'PAGERDUTY_FLEET')
        assert.equal(parseFleetUrl(value ?? '').tls?.caFile, '/run/secrets/pagerduty/db-ca.pem')
      const isFile = name.endsWith('_FILE') || name === 'PAGERDUTY_SPOOL'
      if (isFile)
        assert.ok(
          volumeMounts.some(({ mountPath }) => value?.startsWith(mountPath)),
          value,
        )
    }
  }
})

test('each secret that a pod reads is made by the page’s own commands', () => {
  const made = [...page.matchAll(/--from-(?:literal|file)=([\w.-]+)/g)].map(([, name]) => name)
  const files = [...page.matchAll(/\/run\/secrets\/pagerduty\/([\w.-]+)/g)]
  const variables = [...page.matchAll(/secretKeyRef:\n *name: [\w-]+\n *key: ([\w.-]+)/g)]
  const read = [...files, ...variables].map(([, name]) => name)
  assert.deepEqual(new Set(made), new Set(read))
})

test('each relay of compose.yaml has a port and a spool of its own, and shares the rest', () => {
  const { services, volumes } = parse(/^```yaml compose\.yaml\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '', {
    merge: true,
  }) as {
    services: Record<string, { ports?: string[]; volumes: string[]; environment: Record<string, string> }>
    volumes: object
  }
  const relays = Object.entries(services).filter(([name]) => name.startsWith('relay-'))
  assert.equal(relays.length, 3)
  assert.equal(new Set(relays.flatMap(([, { ports = [] }]) => ports)).size, 3)
  const own = relays.map(([, relay]) => relay.volumes.find((volume) => volume.endsWith(':/spool')))
  assert.equal(new Set(own).size, 3)
  for (const { environment, volumes: mounted } of Object.values(services)) {
    for (const volume of mounted) assert.ok(Object.hasOwn(volumes, volume.split(':')[0] ?? ''), volume)
    const url = environment['PAGERDUTY_FLEET']
    if (url !== undefined) assert.equal(parseFleetUrl(url).hosts[0]?.host, '/var/run/postgresql')
  }
})
