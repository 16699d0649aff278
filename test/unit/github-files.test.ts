import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }

const ROOT = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')

test('.nvmrc names the Node that the scripts use', () => {
  assert.equal(read('.nvmrc').trim(), manifest.devDependencies.node.split('.')[0])
})

test('updates are looked for in everything that is pinned', () => {
  const { updates } = parse(read('.github/dependabot.yml')) as { updates: { 'package-ecosystem': string }[] }
  const ecosystems = updates.map((update) => update['package-ecosystem'])
  assert.deepEqual(ecosystems.toSorted(), ['docker', 'github-actions', 'npm'])
})

interface Form {
  readonly name: string
  readonly description: string
  readonly body: readonly { readonly type: string; readonly id: string }[]
}

const FOLDER = '.github/ISSUE_TEMPLATE/'
const forms = readdirSync(new URL(FOLDER, ROOT)).filter((name) => name !== 'config.yml')
for (const name of forms)
  test(`the form ${name} is one that GitHub takes`, () => {
    const { name: title, description, body } = parse(read(FOLDER + name)) as Form
    assert.ok(title.length > 3 && description.length <= 200)
    const ids = body.map(({ id }) => id)
    assert.deepEqual([...new Set(ids)], ids)
    for (const { type } of body) assert.match(type, /^(?:textarea|input|dropdown|checkboxes|markdown)$/)
  })

test('people who want to report a vulnerability are sent to a private form', () => {
  const { contact_links: links } = parse(read(`${FOLDER}config.yml`)) as { contact_links: { url: string }[] }
  assert.ok(links.some(({ url }) => url.endsWith('/security/advisories/new')))
})
