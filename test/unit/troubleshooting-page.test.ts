import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { collectMessages } from '../support/messages.ts'

const PAGE = plain(readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8'))

/** What becomes a part of an event, not of what is printed. */
const EVENT_TEXTS =
  /^(?:ci\/|core\/(?:build-event|summary|identity|output|secret-looks|secret-values)|commands\/explain)/

/** Parts of messages and of events that are listed whole, and what the relay says where all is well. */
const PARTS: ReadonlySet<string> = new Set([
  'an incident without a title',
  'no known role',
  'Deployment under way',
  'reused as it is',
  'less than a minute',
  'looking up the key',
  'Change event processed',
])

/** Three words or more: what is shorter is a part of a message. */
const LEAST_WORDS = 3

function plain(text: string): string {
  return text.replaceAll('`', '').replaceAll(/\s+/g, ' ')
}

/** What of a message has to stand on the page: without what surrounds it when it is printed. */
function core(text: string): string {
  return plain(text)
    .replaceAll(/…(?:\s*…)*/g, '…')
    .replaceAll(/^[…:;, ]+|[…:;,. ]+$/g, '')
}

function countWords(text: string): number {
  return text.split(/[\s…]+/).filter((word) => /[a-z]{2}/i.test(word)).length
}

test('docs/troubleshooting.md explains every message of the program', () => {
  const missing = collectMessages()
    .filter(({ file, text }) => !EVENT_TEXTS.test(file) && !PARTS.has(text))
    .filter(({ text }) => countWords(text) >= LEAST_WORDS && !core(PAGE).includes(core(text)))
    .map(({ file, text }) => `${file}: ${text}`)
  assert.deepEqual(missing, [])
})

test('the messages of the tables are among those that are looked for', () => {
  const found = new Set(collectMessages().map(({ text }) => text))
  for (const text of [
    'the server’s certificate is revoked', // certificates
    'the connection was refused', // errors that may pass
    'a part of its path is not a directory', // files
    'the disk of the spool is full', // SQLite
    'must be an http(s) URL', // values
    'the relay wants its bearer token: set PAGERDUTY_RELAY_TOKEN', // hints
    'no key is set: put the Integration Key of an Events API v2 integration into PAGERDUTY_TOKEN ' +
      '(or PAGERDUTY_TOKEN_FILE), or the address of a relay into PAGERDUTY_RELAY_URL',
  ])
    assert.ok(found.has(text), text)
})
