import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import manifest from '../package.json' with { type: 'json' }

/*
 * `npm run package` creates `package/`, the folder to publish. The bundle includes its dependencies, so the manifest names
 * none and an installation is one download. `npm publish ./package` does the rest.
 */

const ROOT = new URL('../', import.meta.url)
const TARGET = fileURLToPath(new URL('package/', ROOT))

const { dependencies: _, devDependencies: __, scripts: ___, allowScripts: ____, ...published } = manifest

rmSync(TARGET, { recursive: true, force: true })
mkdirSync(TARGET)
for (const name of ['dist', 'pagerduty.sh', 'LICENSE', 'README.md'])
  cpSync(fileURLToPath(new URL(name, ROOT)), `${TARGET}${name}`, { recursive: true })
writeFileSync(`${TARGET}package.json`, `${JSON.stringify(published, undefined, 2)}\n`)
