import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { until } from '../../support/until.ts'
import { KEY } from '../../support/program.ts'
import { alertBody, keyFor, post, startRelay } from '../../support/relay.ts'
import { temporaryDirectory } from '../../support/spool.ts'
import { skipWithout } from '../../support/required.ts'
import { fillDisk, mountSmallDisk } from '../../support/tmpfs.ts'

test(
  'a full disk is answered 503, what was accepted is delivered, and the relay works again on its own',
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
        alertBody({ dedup_key: key, client: 'x'.repeat(15_000) }),
      )
      if (answer.status === 202) keys.push(key)
      return answer
    }
    let answer = await send('1')
    for (let number = 2; answer.status === 202; number++) answer = await send(String(number))
    assert.equal(answer.status, 503)
    assert.ok(Number(answer.headers.get('retry-after')) > 0)
    assert.match(await answer.text(), /the spool accepts nothing: .*disk/)
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
  'a limit on the size of files ends nothing, and keeps nothing from being delivered once',
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
    assert.match(await answer.text(), /the spool accepts nothing: the spool’s disk is (full|failing)/)
    simulator.reset()
    const delivered = (): string[] => simulator.alerts.map(({ dedupKey }) => dedupKey).toSorted()
    await until(() => delivered().length === keys.length, 'all that was accepted is delivered', 60_000)
    assert.deepEqual(delivered(), keys.toSorted())
    assert.equal(simulator.requests.length, keys.length)
    limit('unlimited')
    await until(async () => (await fetch(`${relay.url}/readyz`)).status === 200, 'it takes events again')
    assert.equal((await relay.stop()).code, 0)
  },
)

for (const isTakenByOthers of [false, true]) {
  const by = isTakenByOthers ? 'by others to its last byte' : 'by the events that were accepted'
  test(
    `on a disk that was filled ${by} everything is delivered, even by a relay that starts then, and posts are accepted again`,
    { skip: skipWithout('mount') },
    async (t) => {
      const simulator = await startSimulator()
      t.after(() => simulator.close())
      simulator.behave({ behaviour: { kind: 'answer', status: 503 } })
      const disk = mountSmallDisk(t, 4)
      const env = {
        PAGERDUTY_TOKEN: KEY,
        PAGERDUTY_EVENTS_URL: simulator.url,
        PAGERDUTY_SPOOL: join(disk.directory, 'spool'),
      }
      const relay = await startRelay(env)
      t.after(() => relay.stop('SIGKILL'))
      const keys: string[] = []
      const send = async (to: string): Promise<number> => {
        const key = `alert-${keys.length}`
        const body = alertBody({ dedup_key: key, routing_key: keyFor(key), client: 'x'.repeat(30_000) })
        const { status } = await post(`${to}/v2/enqueue`, body)
        if (status === 202) keys.push(key)
        return status
      }
      // Near the end the log gives some space back now and then.
      do while ((await send(relay.url)) === 202);
      while ((await fetch(`${relay.url}/readyz`)).status === 200)
      assert.ok(keys.length > 20, `${keys.length} accepted`)
      const filler = join(disk.directory, 'filler')
      if (isTakenByOthers) fillDisk(filler, disk.directory)
      await relay.stop('SIGKILL')
      const later = await startRelay(env)
      t.after(() => later.stop('SIGKILL'))
      if (isTakenByOthers) fillDisk(filler, disk.directory)
      simulator.reset()
      const delivered = (): Set<string> => new Set(simulator.alerts.map(({ dedupKey }) => dedupKey))
      await until(() => keys.every((key) => delivered().has(key)), 'all is delivered', 90_000)
      rmSync(filler, { force: true })
      await until(async () => (await send(later.url)) === 202, 'posts are taken again', 30_000)
      const isReady = async (): Promise<boolean> => (await fetch(`${later.url}/readyz`)).status === 200
      await until(isReady, 'it is ready')
      await until(() => keys.every((key) => delivered().has(key)), 'these too')
      const pending = async (): Promise<number> => {
        const list = (await (await fetch(`${later.url}/events`)).json()) as { counts: { pending: number } }
        return list.counts.pending
      }
      await until(async () => (await pending()) === 0, 'that is recorded')
      assert.equal((await later.stop()).code, 0)
    },
  )
}
