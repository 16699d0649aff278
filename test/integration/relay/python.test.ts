import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { KEY } from '../../support/program.ts'
import { startRelay } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'

const PAGE = readFileSync(new URL('../../../docs/sidecar.md', import.meta.url), 'utf8')
const program = /```python\n([\s\S]*?)```/.exec(PAGE)?.[1] ?? ''

test(
  'the lines of Python in docs/sidecar.md send an event and print its dedup key',
  { skip: skipWithout('python3') },
  async (t) => {
    const simulator = await startSimulator()
    t.after(() => simulator.close())
    const relay = await startRelay({ PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url })
    t.after(() => relay.stop())
    const { stdout } = await promisify(execFile)('python3', [
      '-c',
      program.replace('http://pagerduty:8080', relay.url),
    ])
    assert.equal(stdout.trim(), simulator.alerts[0]?.dedupKey)
  },
)
