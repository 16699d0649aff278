import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { collectMessages, messagesIn } from '../support/messages.ts'

const PAGE = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8')

/** Files whose texts become a part of an event, or of the help, and not a message. */
const FILES_WITHOUT_MESSAGES = [
  'ci/',
  'config/setting.ts',
  'core/build-event.ts',
  'core/build-rollback.ts',
  'core/suspects.ts',
  'core/identity.ts',
  'core/mask-output.ts',
  'core/secret-looks.ts',
  'core/secret-values.ts',
  'core/started.ts',
  'core/summary.ts',
]

/** Parts of messages that are listed whole, texts of events, and what the relay says if all is well. */
const PARTS: ReadonlySet<string> = new Set([
  'an incident without a title',
  'no known role',
  'Deployment in progress',
  'random, since nothing names the alert',
  'reused as it is',
  'less than a minute',
  'looking up the key',
  'Test of pagerduty-alert from …: nothing was deployed',
  'Change event processed',
  'Deployment under the key …',
  '(must end by …)',
  'its counters are not those of its rows',
  'the row of state is missing',
  'Query read timeout',
  'The server does not support SSL',
])

/** What the page shows as it is printed, though the program puts it together from several texts. */
const ASSEMBLED: ReadonlySet<string> = new Set([
  'must be like 2026-01-31T12:00:00Z',
  'the event refers to variables that are not set',
  'the event refers to secrets of this program',
  'payload.custom_details is not an object',
  'must be an https URL',
  'the key is not an Events API v2 integration key',
  'a redirect, which is never followed (to another path)',
  'open incidents on',
  'no open incident on',
])

/** Three words or more: what is shorter is a part of a message. */
const LEAST_WORDS = 3

/**
 * The first clause of a message, by which the page names it: up to a colon, semicolon, comma or full stop, but at least
 * three words. The rest can be reworded without touching the page.
 */
function firstClause(text: string): string {
  const whole = trim(text)
  const ends = [...whole.matchAll(/[:;,.]\s/g)].map(({ index }) => whole.slice(0, index))
  return trim(ends.find((clause) => countWords(clause) >= LEAST_WORDS) ?? whole)
}

/** Without the placeholders and punctuation around it; `…` stands for any number of placeholders in a row. */
function trim(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/…(?:\s*…)*/g, '…')
    .replaceAll(/^[…:;, ]+|[…:;,. ]+$/g, '')
}

function countWords(text: string): number {
  return text.split(/[\s…]+/).filter((word) => /[a-z]{2}/i.test(word)).length
}

/** What the page has between backticks. */
function codeSpans(markdown: string): string[] {
  const lines = markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/\n(?=[^|\n-])/g, ' ')
  return [...lines.matchAll(/(`{1,2})(?!`)(.+?)\1/g)].map(([, , span = '']) => span)
}

test('docs/troubleshooting.md explains every message of the program, by its first clause', () => {
  const messages = collectMessages()
  for (const path of FILES_WITHOUT_MESSAGES)
    assert.ok(
      messages.some(({ file }) => file.startsWith(path)),
      `src/${path} has moved or says nothing: correct the list`,
    )
  const explained = codeSpans(PAGE).map(trim).join('\n')
  const missing = messages
    .filter(
      ({ file, text }) => !PARTS.has(text) && !FILES_WITHOUT_MESSAGES.some((path) => file.startsWith(path)),
    )
    .map(({ file, text }) => ({ file, clause: firstClause(text) }))
    .filter(({ clause }) => countWords(clause) >= LEAST_WORDS && !explained.includes(clause))
  assert.deepEqual(missing, [])
})

test('docs/troubleshooting.md explains no message that the program no longer has', () => {
  const messages = collectMessages().map(({ text }) => trim(text))
  const stale = PAGE.split(/^#+ /m)
    .filter((section) => /^\| (?:message|reason) \|/m.test(section))
    .flatMap((section) => section.split('\n').filter((line) => /^\| (?:`|…)/.test(line)))
    .flatMap((row) => codeSpans(row.split(/(?<!\\) \| /)[0] ?? ''))
    .map((span) => span.replace(/^(?:--)?[\w-]+: /, ''))
    .flatMap((span) => firstClause(span).split('…').map(trim))
    .filter((part) => countWords(part) >= LEAST_WORDS && !messages.some((text) => text.includes(part)))
    .filter((part) => !ASSEMBLED.has(part))
  assert.deepEqual(stale, [])
})

test('messages are found in tables, templates, concatenations and calls, and not in help or types', () => {
  const source = `
    import type { X } from 'not this one'
    type Y = 'nor is this'
    const TABLE = { EACCES: 'permission was denied', nested: ['the disk is full'] }
    const setting = { group: 'run', help: 'not on this page' }
    throw new Failure('usage', \`\${name} needs a value (\${wanted ? 'as in the example' : ''})\` + ': see the help')
    throw new Error('only a bug says this')
    database.prepare('SELECT id FROM pending WHERE id = ?')`
  assert.deepEqual(messagesIn(source), [
    'permission was denied',
    'the disk is full',
    '… needs a value (…): see the help',
    'as in the example',
  ])
})
