import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeBug, reportFailure } from '../../../src/cli/report.ts'
import { Failure } from '../../../src/core/failure.ts'
import type { Log } from '../../../src/log.ts'

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

test('a failure that names a secret shows its mask, in the log and in the JSON', () => {
  const said: string[] = []
  const say = (text: string): void => void said.push(text)
  const log: Log = { debug: say, info: say, warn: say, error: say }
  const env = { PAGERDUTY_API_TOKEN: TOKEN }
  const io = { env, recall: () => '', signal: new AbortController().signal, writeOut: say }
  const printing = { json: true, logLevel: 'info', logFormat: 'text' } as const
  const status = reportFailure(
    { io, log, printing, command: 'success' },
    new Failure('config', `${TOKEN} is not a key`),
  )
  assert.equal(status, 78)
  assert.equal(said[0], '…OpQr is not a key')
  assert.equal(
    said[1],
    '{"command":"success","outcome":"refused","exit_code":78,"events":[],"reason":"…OpQr is not a key"}\n',
  )
})
