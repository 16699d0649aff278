import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { configurationPage } from '../../scripts/configuration-page.ts'

test('docs/configuration.md is what the tables say; `npm run docs` writes it', () => {
  assert.equal(
    readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8'),
    configurationPage(),
  )
})
