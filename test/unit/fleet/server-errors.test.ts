import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeError } from '../../../src/fleet/server-errors.ts'

test('errors of the client say what happened, and those of the server what to do', () => {
  const answer = Object.assign(new Error('too many connections'), { severity: 'FATAL', code: '53300' })
  for (const [error, words] of [
    [
      new Error('Client has encountered a connection error and is not queryable'),
      /^the server closed the connection$/,
    ],
    [new Error('Connection terminated unexpectedly'), /^the server closed the connection$/],
    [new Error('Query read timeout'), /^no answer came in time$/],
    [answer, /^too many connections; each relay opens up to four connections: .* \(53300\)$/],
  ] as const)
    assert.match(describeError(error, {}), words)
})
