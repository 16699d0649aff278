import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startSimulator } from '../../simulator/simulator.ts'
import { until } from '../../support/drain.ts'
import { CODESHIP_PRO, KEY, runProgram } from '../../support/program.ts'
import { alertBody, post, startRelay } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'
import { mountSmallDisk } from '../../support/tmpfs.ts'

test(
  'a spool on a disk that became read-only is told of by all that use it, and used again when it can be',
  { skip: skipWithout('mount') },
  async (t) => {
    const simulator = await startSimulator()
    t.after(() => simulator.close())
    const disk = mountSmallDisk(t, 8)
    const env = {
      ...CODESHIP_PRO,
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_EVENTS_URL: simulator.url,
      PAGERDUTY_SPOOL: join(disk.directory, 'spool'),
      PAGERDUTY_DEADLINE: '2s',
    }
    simulator.behave({ behaviour: { kind: 'answer', status: 503 } })
    assert.equal((await runProgram(['failure'], { env })).code, 0, 'it is kept')
    simulator.reset()
    disk.makeReadOnly(true)

    const failure = await runProgram(['failure'], { env })
    assert.equal(failure.code, 0, failure.stderr)
    assert.match(failure.stderr, /warning: the spool (is read-only|cannot be opened)/)
    assert.equal(simulator.alerts.length, 1, 'it went out at once')
    const flush = await runProgram(['flush'], { env })
    assert.equal(flush.code, 75)
    assert.match(
      flush.stderr,
      /not everything is delivered: spool: the spool (is read-only|cannot be opened)/,
    )

    const relay = await startRelay(env)
    t.after(() => relay.stop('SIGKILL'))
    const answers = [
      await fetch(`${relay.url}/events`),
      await post(`${relay.url}/events/retry`, {}),
      await post(`${relay.url}/v2/enqueue`, alertBody()),
    ]
    for (const answer of answers) {
      assert.equal(answer.status, 503)
      assert.ok(Number(answer.headers.get('retry-after')) > 0)
      assert.match(await answer.text(), /the spool (is read-only|cannot be opened)/)
    }
    disk.makeReadOnly(false)
    await until(async () => (await fetch(`${relay.url}/readyz`)).status === 200, 'it can be written')
    assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: 'later' }))).status, 202)
    await until(() => simulator.alerts.some(({ dedupKey }) => dedupKey === 'later'), 'it is delivered')
    assert.doesNotMatch(failure.stderr + flush.stderr + relay.log(), /this is a bug/)
  },
)
