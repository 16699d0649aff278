import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import manifest from '../../../package.json' with { type: 'json' }

interface Found {
  readonly node: string
  readonly npmNode: string | undefined
  readonly isInstalled: boolean
}
const { findObstacle } = createRequire(import.meta.url)('../../../scripts/preflight.cjs') as {
  findObstacle: (found: Found) => string | undefined
}

const FINE: Found = { node: '24.21.0', npmNode: '20.19.0', isInstalled: true }
const CASES: readonly (readonly [string, Partial<Found>, RegExp | undefined])[] = [
  ['with all that it needs', {}, undefined],
  ['without npm', { npmNode: undefined }, undefined],
  ['on the oldest Node that is taken', { node: '22.19.0', npmNode: '22.19.0' }, undefined],
  [
    'before npm ci',
    { isInstalled: false, node: '20.20.2' },
    /^the dependencies .* Run "npm ci" in .+ first$/,
  ],
  ['without install scripts', { node: '20.20.2' }, /^this is Node 20\.20\.2, .* "npm rebuild node --ignore-/],
  ['on Node 22.18', { node: '22.18.0' }, /the scripts need 22\.19\.0 or newer/],
  ['with the npm of Node 18', { npmNode: '18.20.8' }, /^npm runs on Node 18\.20\.8 here, .* Install Node 24/],
  ['with the npm of Node 20.18', { npmNode: '20.18.3', isInstalled: false }, /20\.19 or newer/],
]
for (const [when, found, expected] of CASES)
  test(`a script ${when} ${expected === undefined ? 'continues' : 'says what to do'}`, () => {
    const obstacle = findObstacle({ ...FINE, ...found })
    if (expected === undefined) assert.equal(obstacle, undefined)
    else assert.match(obstacle ?? '', expected)
  })

test('in a clone without node_modules it ends with 78 and one line, wherever the clone is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'a clone, für dich '))
  try {
    mkdirSync(join(folder, 'scripts'))
    for (const file of ['package.json', 'scripts/preflight.cjs'])
      cpSync(fileURLToPath(new URL(`../../../${file}`, import.meta.url)), join(folder, file))
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(folder, 'scripts', 'preflight.cjs')],
      { encoding: 'utf8' },
    )
    assert.deepEqual([status, stdout], [78, ''])
    assert.match(stderr, /^pagerduty-alert: .* Run "npm ci" in .*a clone, für dich .* first\.\n$/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('every script that begins with TypeScript or a build tool looks first whether it can run', () => {
  const unguarded = Object.entries(manifest.scripts).filter(([, line]) =>
    /^(?:node (?!--test)\S+\.ts|rolldown|tsc)/.test(line),
  )
  assert.deepEqual(unguarded, [])
})
