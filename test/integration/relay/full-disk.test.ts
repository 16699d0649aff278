import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startSimulator } from '../../simulator/simulator.ts'
import { until } from '../../support/drain.ts'
import { KEY } from '../../support/program.ts'
import { alertBody, post, startRelay } from '../../support/relay.ts'
import { mountSmallDisk, skipWithoutMounts } from '../../support/tmpfs.ts'

test(
  'a full disk is answered 503, what was accepted is delivered, and the relay works again by itself',
  { skip: skipWithoutMounts() },
  async (t) => {
    const simulator = await startSimulator()
    t.after(() => simulator.close())
    simulator.behave({ behaviour: { kind: 'answer', status: 503 } }) // so that nothing leaves the disk
    const disk = mountSmallDisk(t, 1)
    const relay = await startRelay({
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_EVENTS_URL: simulator.url,
      PAGERDUTY_SPOOL: join(disk.directory, 'spool'),
    })
    t.after(() => relay.stop('SIGKILL'))
    const keys: string[] = []
    const send = async (key: string): Promise<Response> => {
      const answer = await post(
        `${relay.url}/v2/enqueue`,
        alertBody({ dedup_key: key, client: 'x'.repeat(5000) }),
      )
      if (answer.status === 202) keys.push(key)
      return answer
    }
    let answer = await send('1')
    for (let number = 2; answer.status === 202; number++) answer = await send(String(number))
    assert.equal(answer.status, 503)
    assert.ok(Number(answer.headers.get('retry-after')) > 0)
    assert.match(await answer.text(), /the spool takes nothing: .*disk/)
    assert.equal((await fetch(`${relay.url}/readyz`)).status, 503)
    assert.equal((await fetch(`${relay.url}/healthz`)).status, 200)
    disk.resize(16)
    await until(async () => (await send('again')).status === 202, 'there is room')
    assert.equal((await fetch(`${relay.url}/readyz`)).status, 200)
    simulator.reset()
    const delivered = (): Set<string> => new Set(simulator.alerts.map(({ dedupKey }) => dedupKey))
    await until(() => keys.every((key) => delivered().has(key)), 'all that was accepted is delivered', 60_000)
  },
)
