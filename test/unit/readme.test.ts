import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import manifest from '../../package.json' with { type: 'json' }
import { COMMANDS } from '../../src/cli/command-table.ts'
import { SETTING_LIST } from '../../src/config/settings.ts'
import { EXIT_CODE } from '../../src/core/failure.ts'
import { readServices } from '../../tools/codeship/services.ts'
import { readSteps } from '../../tools/codeship/steps.ts'
import { parseYaml } from '../../tools/codeship/yaml.ts'

const fromRoot = (path: string): URL => new URL(`../../${path}`, import.meta.url)
const README = readFileSync(fromRoot('README.md'), 'utf8')

function all(pattern: RegExp): string[] {
  const found = [...README.matchAll(pattern)].map(([, first = '']) => first)
  assert.ok(found.length > 0, `README.md holds nothing like ${String(pattern)}`)
  return found
}

test('every script that the README runs exists', () => {
  const scripts = [...all(/npm (?:--prefix \S+ )?run ([\w-]+)/g), ...all(/npm (test)/g)]
  for (const script of scripts) assert.ok(script in manifest.scripts, script)
})

test('every file that the README links to exists', () => {
  for (const path of all(/\]\(([^)#:]+)\)/g)) assert.ok(existsSync(fromRoot(path)), path)
})

test('every variable that the README names exists', () => {
  const variables = new Set(SETTING_LIST.map(({ variable }) => variable))
  for (const variable of all(/\b(PAGERDUTY_[A-Z_]+)/g)) assert.ok(variables.has(variable), variable)
})

test('every command that the README gives exists', () => {
  for (const command of all(/pagerduty-alert (success|failure|run|help|gate|[a-z]+)\b(?=[`\n ])/g))
    assert.ok(command in COMMANDS, command)
  for (const command of all(/^`(run|gate)` ends/gm)) assert.ok(command in COMMANDS, command)
})

test('the README lists every exit status', () => {
  const statuses = all(/^\| (\d+) \|/gm).map(Number)
  assert.deepEqual(statuses, [0, ...Object.values(EXIT_CODE).toSorted((a, b) => a - b)])
})

test('the README’s recipes are what Codeship reads', () => {
  const [services = '', steps = '', sidecar = '', sidecarSteps = '', ...more] =
    all(/^```yaml\n([\s\S]*?)^```$/gm)
  assert.equal(more.length, 0)
  for (const [servicesText, stepsText, names] of [
    [services, steps, ['deploy', 'pagerduty-alert']],
    [sidecar, sidecarSteps, ['deploy']],
  ] as const) {
    const { byName, notices } = readServices(parseYaml('services', servicesText))
    const recipe = readSteps(parseYaml('steps', stepsText), byName)
    assert.deepEqual([...notices, ...recipe.notices], [])
    assert.deepEqual(
      recipe.steps.map(({ name, tag }) => [name, tag]),
      names.map((name) => [name, 'master']),
    )
  }
})

test('the steps of the documentation are what Codeship reads', () => {
  const names = ['app', 'deploy', 'flush', 'pagerduty', 'pagerduty-alert']
  const { byName } = readServices(
    parseYaml('services', names.map((name) => `${name}:\n  image: x\n`).join('')),
  )
  for (const page of ['getting-started.md', 'run.md', 'sidecar.md']) {
    const text = readFileSync(fromRoot(`docs/${page}`), 'utf8')
    const blocks = [...text.matchAll(/^```yaml(?: \S+)?\n((?:#.*\n)?- [\s\S]*?)^```$/gm)].map(
      ([, steps = '']) => steps,
    )
    assert.ok(blocks.length > 0, page)
    for (const steps of blocks) assert.deepEqual(readSteps(parseYaml(page, steps), byName).notices, [])
  }
})

test('docs/README.md lists every page', () => {
  const index = readFileSync(fromRoot('docs/README.md'), 'utf8')
  const pages = readdirSync(fromRoot('docs')).filter((name) => /(?<!^README)\.(?:md|json)$/.test(name))
  for (const page of pages) assert.ok(index.includes(`](${page})`), page)
})
