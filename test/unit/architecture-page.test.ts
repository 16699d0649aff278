import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const PAGES = ['docs/architecture.md', 'CONTRIBUTING.md']

/** Files and folders of the repository that a page names between backticks; names of the source may leave `src/` out. */
function pathsIn(page: string): string[] {
  const text = readFileSync(page, 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '')
  return [...text.matchAll(/`([\w./-]+\/[\w./-]+|[\w-]+\.(?:c?ts|cjs|sh))`/g)].map(([, path = '']) => path)
}

for (const page of PAGES)
  test(`${page} names only files and folders that exist`, () => {
    const paths = pathsIn(page)
    assert.ok(paths.length > 10)
    const missing = paths.filter(
      (path) =>
        !path.startsWith('dist/') &&
        !existsSync(path) &&
        !existsSync(`src/${path}`) &&
        globSync(`{src,build,scripts}/**/${path}`).length === 0,
    )
    assert.deepEqual(missing, [])
  })
