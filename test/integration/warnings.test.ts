import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram } from '../support/program.ts'
import { temporaryDirectory } from '../support/spool.ts'

/** Warns as Node 22 does when its database is loaded, and as it does of anything else. */
const WARN = `setTimeout(() => {
  process.emitWarning('SQLite is an experimental feature and might change at any time', 'ExperimentalWarning')
  process.emitWarning('something else', 'ExperimentalWarning')
}, 20)`

test('the warning that Node’s database is experimental is hidden, every other one is shown', async (t) => {
  const { code, stderr } = await runProgram(['flush'], {
    env: {
      PAGERDUTY_TOKEN: '0123456789abcdef0123456789abcdef',
      PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:9',
      PAGERDUTY_SPOOL: '/proc/nothing',
      PAGERDUTY_DEADLINE: '2s',
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(WARN)}`,
      TMPDIR: temporaryDirectory(t),
    },
  })
  assert.equal(code, 75)
  assert.match(stderr, /ExperimentalWarning: something else/)
  assert.doesNotMatch(stderr, /SQLite/)
})
