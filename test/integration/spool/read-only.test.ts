import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { until } from '../../support/until.ts'
import { CODESHIP_PRO, KEY, runProgram } from '../../support/program.ts'
import { alertBody, post, startRelay } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'
import { mountSmallDisk } from '../../support/tmpfs.ts'

test(
  'a spool on a disk that became read-only is reported by every process, and used again when it is writable',
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
    }
    const hasty = { ...env, PAGERDUTY_DEADLINE: '2s' }
    simulator.behave({ behaviour: { kind: 'answer', status: 503 } })
    assert.equal((await runProgram(['failure'], { env: hasty })).code, 0, 'it is kept')
    simulator.reset()
    disk.makeReadOnly(true)

    const failure = await runProgram(['failure'], { env })
    assert.equal(failure.code, 0, failure.stderr)
    assert.match(failure.stderr, /warning: the spool (is read-only|cannot be opened)/)
    assert.equal(simulator.alerts.length, 1, 'it went out at once')
    const flush = await runProgram(['flush', '--deadline', '60s'], { env })
    assert.equal(flush.code, 0, flush.stderr)
    assert.match(
      flush.stderr,
      /warning: spool: 0 pending, 1 delivered, 0 dead; deliveries could not be recorded, so they will be sent again: the spool is read-only/,
    )
    assert.equal(simulator.requests.length, 2, 'what was kept is delivered')

    const relay = await startRelay(env)
    t.after(() => relay.stop('SIGKILL'))
    await until(() => simulator.requests.length === 3, 'it is delivered at least once')
    assert.equal((await fetch(`${relay.url}/readyz`)).status, 503)
    await until(async () => {
      const { counts } = (await (await fetch(`${relay.url}/events`)).json()) as { counts: object }
      return isDeepStrictEqual(counts, { pending: 0, delivered: 1, dead: 0 })
    }, 'the list shows it')
    const answers = [
      await post(`${relay.url}/events/retry`, { id: 1 }),
      await post(`${relay.url}/v2/enqueue`, alertBody()),
    ]
    for (const answer of answers) {
      assert.equal(answer.status, 503)
      assert.ok(Number(answer.headers.get('retry-after')) > 0)
      assert.match(await answer.text(), /the spool (is read-only|cannot be opened)/)
    }
    assert.equal(simulator.requests.length, 3, 'and by one process only once')
    disk.makeReadOnly(false)
    await until(async () => (await fetch(`${relay.url}/readyz`)).status === 200, 'it can be written')
    assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: 'later' }))).status, 202)
    await until(() => simulator.alerts.some(({ dedupKey }) => dedupKey === 'later'), 'it is delivered')
    await relay.stop()
    assert.equal((await runProgram(['flush', '--deadline', '60s'], { env })).code, 0)
    assert.equal(simulator.requests.length, 4, 'what was remembered has been recorded')
    assert.doesNotMatch(failure.stderr + flush.stderr + relay.log(), /this is a bug/)
  },
)
