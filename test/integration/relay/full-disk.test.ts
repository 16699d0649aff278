import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { startSimulator } from '../../simulator/simulator.ts'
import { until } from '../../support/drain.ts'
import { KEY } from '../../support/program.ts'
import { alertBody, post, startRelay } from '../../support/relay.ts'
import { temporaryDirectory } from '../../support/spool.ts'
import { skipWithout } from '../../support/required.ts'
import { mountSmallDisk } from '../../support/tmpfs.ts'

test(
  'a full disk is answered 503, what was accepted is delivered, and the relay works again by itself',
  { skip: skipWithout('mount') },
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

test(
  'a limit on the size of files is told of, ends nothing, and repeats nothing when it is lifted',
  { skip: skipWithout('prlimit') },
  async (t) => {
    const simulator = await startSimulator()
    t.after(() => simulator.close())
    simulator.behave({ behaviour: { kind: 'answer', status: 503 } })
    const relay = await startRelay({
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_EVENTS_URL: simulator.url,
      PAGERDUTY_SPOOL: temporaryDirectory(t),
    })
    t.after(() => relay.stop('SIGKILL'))
    const limit = (bytes: string): void => {
      execFileSync('prlimit', ['--pid', String(relay.program.child.pid), `--fsize=${bytes}:`])
    }
    limit('200000')
    const keys: string[] = []
    let answer = await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: '0' }))
    while (answer.status === 202) {
      keys.push(String(keys.length))
      const body = alertBody({ dedup_key: String(keys.length), client: 'x'.repeat(5000) })
      answer = await post(`${relay.url}/v2/enqueue`, body)
    }
    assert.equal(answer.status, 503)
    assert.match(await answer.text(), /the spool takes nothing: the disk of the spool fails/)
    simulator.reset()
    await until(
      () => /the spool cannot be used: the disk of the spool fails/.test(relay.log()),
      'it is told of',
    )
    limit('unlimited')
    const delivered = (): string[] => simulator.alerts.map(({ dedupKey }) => dedupKey).toSorted()
    await until(() => delivered().length === keys.length, 'all that was accepted is delivered', 60_000)
    assert.deepEqual(delivered(), keys.toSorted())
    assert.equal(simulator.requests.length, keys.length)
    assert.equal((await relay.stop()).code, 0)
  },
)
