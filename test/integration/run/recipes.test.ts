import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { BIN } from '../../support/program.ts'
import { startDeployments } from '../../support/deployment.ts'

const { env } = await startDeployments().then(async (deployments) => {
  await deployments.simulator.close() // everything is a dry run
  return deployments
})
const recipes = [...readFileSync('docs/run.md', 'utf8').matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(
  ([, script = '']) => script,
)
const folder = mkdtempSync(join(tmpdir(), 'recipes-'))
after(() => rmSync(folder, { recursive: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
  chmodSync(join(folder, path), 0o755)
}

/** Runs a recipe of the documentation, with deployment scripts that fail or not. */
function runRecipe(
  containing: string,
  failing: readonly string[],
): { status: number | null; keys: string[] } {
  const recipe = recipes.find((script) => script.includes(containing)) ?? assert.fail(containing)
  for (const path of ['deploy.sh', 'rollback.sh', 'migrate.sh', 'api/deploy.sh', 'web/deploy.sh']) {
    write(path, `#!/bin/sh\necho "$@"\nexit ${failing.includes(path) ? 3 : 0}\n`)
  }
  write('bin/pagerduty-alert', `#!/bin/sh\nshift\nexec "${process.execPath}" "${BIN}" run --dry-run "$@"\n`)
  const { status, stdout } = spawnSync('sh', ['-c', recipe], {
    cwd: folder,
    env: { ...env, PATH: `${folder}/bin:${env['PATH']}` },
    encoding: 'utf8',
  })
  const keys = [...stdout.matchAll(/"event_action":"(\w+)".*?"dedup_key":"([^"]+)"/g)]
  return { status, keys: keys.map(([, action, key]) => `${action} ${key}`) }
}

test('a rollback pages for itself only when it fails, and the deployment stays failed', () => {
  const prod = 'deploy/acme/shop/production'
  assert.deepEqual(runRecipe('rollback', []), { status: 0, keys: [`resolve ${prod}`] })
  assert.deepEqual(runRecipe('rollback', ['deploy.sh']), {
    status: 3,
    keys: [`trigger ${prod}`, `resolve ${prod}/rollback`],
  })
  assert.deepEqual(runRecipe('rollback', ['deploy.sh', 'rollback.sh']).keys, [
    `trigger ${prod}`,
    `trigger ${prod}/rollback`,
  ])
})

test('environments are kept apart', () => {
  const base = 'deploy/acme/shop'
  assert.deepEqual(runRecipe('staging', []).keys, [`resolve ${base}/staging`, `resolve ${base}/production`])
  assert.deepEqual(runRecipe('staging', ['deploy.sh']), { status: 3, keys: [`trigger ${base}/staging`] })
})

test('the parts of a monorepo are kept apart, and one that fails does not keep the others', () => {
  const prod = 'deploy/acme/shop/production'
  assert.deepEqual(runRecipe('for part', ['api/deploy.sh']), {
    status: 3,
    keys: [`trigger ${prod}/api`, `resolve ${prod}/web`],
  })
})

test('a heartbeat changes nothing else', () =>
  assert.equal(runRecipe('--heartbeat', ['migrate.sh']).status, 3))
