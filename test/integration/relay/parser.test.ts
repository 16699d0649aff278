import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, runProgram } from '../../support/program.ts'
import { alertBody, post, startRelay } from '../../support/relay.ts'
import { accountWith, REST_TOKEN } from '../../support/rest.ts'
import { temporaryDirectory } from '../../support/spool.ts'

/** Prints every flag that the program gives to V8. */
const TELL_FLAGS = `
import { syncBuiltinESMExports } from 'node:module'
import v8 from 'node:v8'
v8.setFlagsFromString = (flag) => console.error('V8 is told ' + flag)
syncBuiltinESMExports()`

test('a command reads answers with the parser as it is, and a relay lets V8 make it faster', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  simulator.seed(accountWith())
  // A token instead of the key, so that both ask the REST API, too.
  const env = {
    ...CODESHIP_PRO,
    PAGERDUTY_TOKEN: REST_TOKEN,
    PAGERDUTY_SERVICE_ID: 'PSHOP',
    PAGERDUTY_EVENTS_URL: simulator.url,
    PAGERDUTY_API_URL: simulator.url,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(TELL_FLAGS)}`,
  }
  const command = await runProgram(['failure'], { env })
  assert.equal(command.code, 0, command.stderr)
  assert.match(command.stderr, /V8 is told --wasm-tiering-budget=/)
  for (const more of [{}, { PAGERDUTY_SPOOL: temporaryDirectory(t) }]) {
    const relay = await startRelay({ ...env, ...more })
    const headers = { prefer: 'wait=10' }
    assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody(), headers)).status, 202)
    const { stderr } = await relay.stop()
    assert.doesNotMatch(stderr, /V8 is told/)
  }
  assert.equal(simulator.alerts.length, 3)
})
