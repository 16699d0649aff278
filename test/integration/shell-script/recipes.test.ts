import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, beforeEach, test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { actionsAt, BASIC_CASES, basicClone, basicSession } from '../../support/basic.ts'
import { CODESHIP_PRO, KEY } from '../../support/program.ts'
import { skipWithout } from '../../support/required.ts'
import { runProcess } from '../../support/shell-script.ts'

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => simulator.reset())

const skip = skipWithout('bash', 'curl', 'jq')
for (const [name, deployStatus, isGood, events] of BASIC_CASES) {
  test(`Codeship Basic, ${name}: a deployment that ends with ${deployStatus}`, { skip }, async () => {
    const cwd = basicClone(deployStatus)
    const { code, stderr } = await runProcess(['bash', '--norc'], {
      env: {
        PATH: process.env['PATH'] ?? '',
        ...CODESHIP_PRO,
        PAGERDUTY_TOKEN: KEY,
        PAGERDUTY_EVENTS_URL: simulator.url,
      },
      stdin: basicSession(name),
      cwd,
    })
    rmSync(cwd, { recursive: true })
    assert.equal(code === 0, isGood, stderr)
    assert.deepEqual(actionsAt(simulator), events)
  })
}
