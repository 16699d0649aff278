import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { split } from 'shlex'
import { parse, parseAllDocuments } from 'yaml'
import { parseCommandLine } from '../../src/cli/args.ts'

const DOCS = new URL('../../docs/', import.meta.url)
const pages = readdirSync(DOCS).filter((name) => name.endsWith('.md'))
const read = (name: string): string => readFileSync(new URL(name, DOCS), 'utf8')
const recipes = [...read('recipes.md').matchAll(/^```(\w+) ([\w-]+)\n([\s\S]*?)^```$/gm)]

for (const [, language, name, text = ''] of recipes) {
  if (language === 'yaml')
    test(`the recipe for ${name} is YAML`, () => {
      const documents = parseAllDocuments(text, { uniqueKeys: true })
      assert.deepEqual(
        [...documents].flatMap(({ errors }) => errors),
        [],
      )
    })
  // `serve` is an argument of the container there.
  if (name === 'kubernetes' || name === 'github-actions') continue
  test(`the program understands the command lines of the recipe for ${name}`, () => {
    const lines = [...text.matchAll(/(?:npx --yes pagerduty-alert|pagerduty-alert:0\.1\.0) ([^\n']*)/g)]
    assert.ok(lines.length > 0)
    for (const [, line = ''] of lines) assert.doesNotThrow(() => parseCommandLine(split(line)))
  })
}

test('the action takes every input of its recipe', () => {
  const inputs = (parse(readFileSync(new URL('../action.yml', DOCS), 'utf8')) as { inputs: object }).inputs
  const [, , , text = ''] = recipes.find(([, , name]) => name === 'github-actions') ?? []
  const { jobs } = parse(text) as { jobs: { deploy: { steps: { with?: object }[] } } }
  const given = jobs.deploy.steps.flatMap((step) => Object.keys(step.with ?? {}))
  assert.ok(given.length > 0)
  for (const name of given) assert.ok(Object.hasOwn(inputs, name), name)
})

/** A container of the Kubernetes recipe, as far as it is looked at. */
interface Container {
  readonly args?: readonly string[]
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
}

test('the manifest for Kubernetes mounts what it declares, where the relay looks for it', () => {
  const [, , , text = ''] = recipes.find(([, , name]) => name === 'kubernetes') ?? []
  const [claim, deployment] = [...parseAllDocuments(text)].map((document) => document.toJS() as unknown)
  const { spec, metadata } = (
    deployment as {
      spec: { template: { spec: { volumes: object[]; containers: Container[] }; metadata: object } }
    }
  ).spec.template
  assert.deepEqual(metadata, {
    labels: (deployment as { spec: { selector: { matchLabels: object } } }).spec.selector.matchLabels,
  })
  const claimName = (claim as { metadata: { name: string } }).metadata.name
  assert.deepEqual(spec.volumes, [
    { name: 'spool', persistentVolumeClaim: { claimName } },
    { name: 'key', secret: { secretName: 'pagerduty' } },
  ])
  const [deployer, relay] = spec.containers
  assert.doesNotThrow(() => parseCommandLine(relay?.args ?? []))
  const variables = Object.fromEntries(relay?.env.map(({ name, value }) => [name, value]) ?? [])
  const mounted = Object.fromEntries(
    relay?.volumeMounts?.map(({ name, mountPath }) => [name, mountPath]) ?? [],
  )
  assert.equal(variables['PAGERDUTY_SPOOL'], mounted['spool'])
  assert.equal(variables['PAGERDUTY_TOKEN_FILE'], `${mounted['key']}/token`)
  assert.equal(deployer?.env[0]?.value, `http://${variables['PAGERDUTY_RELAY_HOST']}:8080`)
})

test('there is a recipe for each of the common places', () => {
  assert.ok(recipes.length >= 12)
})

for (const page of pages) {
  test(`${page}: every file that it links to is there`, () => {
    for (const [, target = ''] of read(page).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g))
      assert.doesNotThrow(() => readFileSync(new URL(target, DOCS)), target)
  })
}
