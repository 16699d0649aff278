import assert from 'node:assert/strict'
import { after, beforeEach, suite, test } from 'node:test'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { runOnTerminal } from '../support/terminal.ts'
import { BIN, CODESHIP_PRO, KEY, runProgram } from '../support/program.ts'
import { skipWithout } from '../support/required.ts'
import { SCRIPT } from '../support/shell-script.ts'

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => simulator.reset())

const LAPTOP = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url }
const skip = skipWithout('script')

const PROGRAMS = {
  'pagerduty-alert': { program: [process.execPath, BIN], skip },
  'pagerduty.sh': { program: ['sh', SCRIPT], skip: skip || skipWithout('curl', 'jq') },
} as const
for (const [name, { program, skip: skipProgram }] of Object.entries(PROGRAMS))
  suite(`${name} on a terminal, without a command`, { skip: skipProgram }, () => {
    for (const args of [[], ['true'], [name], ['--environment', 'production']])
      test(`"${[name, ...args].join(' ')}" prints the help and sends nothing`, async () => {
        const { code, screen } = await runOnTerminal([...program, ...args], LAPTOP)
        assert.equal(code, 64)
        assert.match(screen, /^(?:Usage: pagerduty-alert| {2}pagerduty\.sh success) /m)
        assert.match(screen, /error: no command was given, so nothing was sent; name one, such as success/m)
        assert.deepEqual(simulator.requests, [])
      })

    const SENDING: [string, string[], Record<string, string>][] = [
      ['in a build', [], CODESHIP_PRO],
      ['with only CI=true', [], { CI: 'true' }],
      ['with PAGERDUTY_STATUS', [], { PAGERDUTY_STATUS: 'success' }],
      ['with --status', ['--status', '0'], {}],
    ]
    for (const [what, args, env] of SENDING)
      test(`${what} it is a success`, async () => {
        const { code, screen } = await runOnTerminal([...program, ...args], { ...LAPTOP, ...env })
        assert.equal(code, 0, screen)
        assert.equal(simulator.changes.length, 1)
      })
  })

test('with --json the refusal is a line of JSON too', { skip }, async () => {
  const { code, screen } = await runOnTerminal([process.execPath, BIN, '--json'], LAPTOP)
  assert.equal(code, 64)
  assert.match(screen, /^\{.*"exit_code":64.*\}$/m)
})

test('without a terminal and outside any CI it is a success, as a script expects', async () => {
  const { code, stderr } = await runProgram([], { env: LAPTOP })
  assert.equal(code, 0, stderr)
  assert.equal(simulator.changes.length, 1)
})
