import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'

test('the npm package holds the program and its papers, and no key or environment', () => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const paths = [...output.matchAll(/"path": "([^"]+)"/g)].map(([, path = '']) => path)
  assert.ok(paths.includes('dist/bin.js'))
  for (const path of paths) assert.match(path, /^(?:dist\/[\w-]+(?:\.js)?|package\.json|README\.md|LICENSE)$/)
})
