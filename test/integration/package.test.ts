import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { publint } from 'publint'
import { transformSync } from 'rolldown/utils'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { BIN, CODESHIP_PRO, KEY } from '../support/program.ts'
import { runProcess } from '../support/shell-script.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PACKAGE = join(ROOT, 'package')
const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }
const scratch = mkdtempSync(join(tmpdir(), 'package-'))
const simulator = await startSimulator()
after(async () => {
  await simulator.close()
  rmSync(scratch, { recursive: true })
})

async function npm(args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await runProcess(['npm', ...args], { env, cwd })
  assert.equal(code, 0, stderr)
  return stdout
}

before(async () => {
  const { code, stderr } = await runProcess([process.execPath, 'scripts/package.ts'], { env, cwd: ROOT })
  assert.equal(code, 0, stderr)
})

test('the package holds the bundle and nothing else, and depends on nothing', async () => {
  const packed = JSON.parse(await npm(['pack', '--dry-run', '--json', './package'], ROOT)) as unknown
  const [{ files }] = (Array.isArray(packed) ? packed : Object.values(packed as object)) as [
    { files: { path: string }[] },
  ]
  const others = files.map(({ path }) => path).filter((path) => !path.startsWith('dist/'))
  assert.deepEqual(others.toSorted(), ['LICENSE', 'README.md', 'package.json', 'pagerduty.sh'])
  const manifest = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as Record<string, unknown>
  assert.equal(manifest['dependencies'], undefined)
})

test('publint finds nothing', async () => {
  const { messages } = await publint({ pkgDir: PACKAGE, pack: false, strict: true })
  assert.deepEqual(messages, [])
})

test('installed in a clean directory, npx runs it', async () => {
  await npm(['pack', '--pack-destination', scratch, './package'], ROOT)
  const clean = join(scratch, 'clean')
  await runProcess(['mkdir', clean], { env })
  writeFileSync(join(clean, 'package.json'), '{"private":true}')
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  await npm(['install', '--offline', '--no-audit', `../pagerduty-alert-${version}.tgz`], clean)
  const sending = { ...env, ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url }
  const { code, stderr } = await runProcess(['npx', '--offline', 'pagerduty-alert', 'success'], {
    env: sending,
    cwd: clean,
  })
  assert.equal(code, 0, stderr)
  assert.equal(simulator.changes.length, 1)
})

test('Node.js 12 can parse the file that is started: nothing in it has to be rewritten for it', () => {
  const launcher = readFileSync(BIN, 'utf8')
  const written = (target: string): string => transformSync('bin.js', launcher, { target }).code
  assert.equal(written('node12'), written('esnext'))
})

for (const [own, code] of [
  ['12.16.3', 78],
  ['22.18.0', 78],
  ['22.19.0', 0],
  ['26.0.0', 0],
] as const) {
  test(`Node.js ${own} ${code === 0 ? 'is new enough' : 'is told in one line that it is too old'}`, async () => {
    const pretend = join(scratch, `${own}.cjs`)
    writeFileSync(pretend, `Object.defineProperty(process.versions, 'node', { value: '${own}' })`)
    const result = await runProcess([process.execPath, '--require', pretend, BIN, '--version'], { env })
    assert.equal(result.code, code, result.stderr)
    if (code === 78)
      assert.match(
        result.stderr,
        /^pagerduty-alert: error: this is Node\.js .*, and 22\.19\.0 or newer is needed.*\n$/,
      )
  })
}
