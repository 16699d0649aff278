import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeBug } from '../../../src/commands/report-failure.ts'

const TOKEN = 'u+AbCdEfGhIjKlMnOpQr'

test('a bug is described without the secrets of the environment', () => {
  const text = describeBug(new Error(`no header ${TOKEN}`), {
    env: { PAGERDUTY_API_TOKEN: ` ${TOKEN} ` },
    recall: () => '',
  })
  assert.match(text, /^this is a bug, please report it\nError: no header …OpQr\n/)
  assert.ok(!text.includes(TOKEN))
})

test('the words of a syntax error are left out: they quote what was parsed', () => {
  assert.doesNotMatch(
    describeBug(new SyntaxError('Unexpected token in "private"'), { env: {}, recall: () => '' }),
    /private/,
  )
})
