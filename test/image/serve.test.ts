import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { skipWithoutDocker } from '../support/docker.ts'
import { alertBody, post } from '../support/relay.ts'
import {
  buildImage,
  environmentFor,
  runContainer,
  startReachableSimulator,
  type ContainerExit,
  type ContainerOptions,
  type RunningContainer,
} from './image.ts'

/** Where the image listens. */
const PORT = 8080
/** Well under a second on a machine that does nothing else, which this may not be. */
const READY_MS = 120_000
/** Less than what it waits for, a minute; on a machine that is not busy it ends within 8 s. */
const STOPPED_MS = 45_000
const DOWN = { behaviour: { kind: 'answer', status: 503 } } as const

/** Asks until the reply is right, and fails if that takes too long. */
async function untilReply(
  url: string,
  isRight: (reply: Response) => boolean | Promise<boolean>,
): Promise<void> {
  const giveUpAt = performance.now() + READY_MS
  while (!(await fetch(url).then(isRight, () => false))) {
    assert.ok(performance.now() < giveUpAt, `${url} does not get ready`)
    await sleep(50)
  }
}

suite('serve as process 1 of a container', { skip: await skipWithoutDocker() }, () => {
  let image = ''
  let simulator: Simulator
  let spool = ''
  before(async () => {
    image = await buildImage()
    simulator = await startReachableSimulator()
  })
  beforeEach(async () => {
    simulator.reset()
    spool = await mkdtemp(join(tmpdir(), 'spool-'))
    await chmod(spool, 0o777) // the image's user is another than this one
  })
  afterEach(() => rm(spool, { recursive: true, force: true }))
  after(() => simulator.close())

  /** Runs a relay, and calls back with its address when it is ready. */
  async function serve(
    options: ContainerOptions,
    whileRunning: (url: string, container: RunningContainer) => Promise<void>,
  ): Promise<ContainerExit> {
    const { env, ...rest } = options
    const all = { command: ['serve'], port: PORT, confined: true, ...rest }
    const environment = { ...environmentFor(simulator), ...env }
    return await runContainer(image, { ...all, env: environment }, async (container) => {
      const url = await container.url()
      await untilReply(`${url}/readyz`, ({ ok }) => ok)
      await whileRunning(url, container)
    })
  }
  const durable = (): ContainerOptions => ({
    env: { PAGERDUTY_SPOOL: '/spool' },
    binds: [`${spool}:/spool`],
  })
  const accept = async (url: string, dedupKey: string, action = 'trigger'): Promise<void> => {
    const body = alertBody({ dedup_key: dedupKey, event_action: action })
    assert.equal((await post(`${url}/v2/enqueue`, body)).status, 202)
  }
  async function stopInTime({ stop }: RunningContainer): Promise<void> {
    const startedAt = performance.now()
    await stop()
    assert.ok(performance.now() - startedAt < STOPPED_MS, 'docker stop takes too long')
  }

  test('SIGUSR1 opens no debugger, not even before the program has loaded', async () => {
    const options = { command: ['serve'], port: PORT, env: environmentFor(simulator) }
    const exit = await runContainer(image, options, async (container) => {
      const url = await container.url()
      await container.kill('SIGUSR1')
      await untilReply(`${url}/readyz`, ({ ok }) => ok)
      await container.kill('SIGUSR1')
      await accept(url, 'after the signals')
      await container.stop()
    })
    assert.equal(exit.exitCode, 0, exit.stderr)
    assert.doesNotMatch(exit.stderr, /Debugger/)
  })

  test('docker stop lets the request in flight finish, and ends with 0', async () => {
    simulator.behave({ behaviour: { kind: 'usual', delayMs: 1500 } })
    const exit = await serve({}, async (url, container) => {
      const inFlight = accept(url, 'in flight')
      await simulator.waitForRequests(1)
      await stopInTime(container)
      await inFlight
    })
    assert.equal(exit.exitCode, 0, exit.stderr)
  })

  test('docker stop ends with 0 while PagerDuty does not answer and events wait', async () => {
    simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
    const exit = await serve(durable(), async (url, container) => {
      for (const name of ['a', 'b', 'c']) await accept(url, name)
      await simulator.waitForRequests(1)
      const inFlight = post(`${url}/v2/enqueue`, alertBody(), { prefer: 'wait=60' })
      await untilReply(`${url}/events`, async (reply) => {
        const { counts } = (await reply.json()) as { counts: { pending: number } }
        return counts.pending === 4
      })
      await Promise.all([stopInTime(container), inFlight])
      assert.equal((await inFlight).status, 202)
    })
    assert.equal(exit.exitCode, 0, exit.stderr)
  })

  test('what a container that was killed had accepted is delivered by the next one on its volume', async () => {
    const names = Array.from({ length: 20 }, (_, number) => `alert ${number}`)
    simulator.behave(DOWN)
    const killed = await serve(durable(), async (url, { kill }) => {
      for (const name of names) await accept(url, name)
      for (const name of names) await accept(url, name, 'resolve')
      await kill('SIGKILL')
    })
    assert.equal(killed.exitCode, 137)
    simulator.reset()
    const exit = await serve(durable(), async (_, container) => {
      await simulator.waitForRequests(2 * names.length, 60_000)
      await container.stop()
    })
    assert.equal(exit.exitCode, 0, exit.stderr)
    const resolved = simulator.alerts.filter(({ status }) => status === 'resolved')
    assert.deepEqual(resolved.map(({ dedupKey }) => dedupKey).toSorted(), names.toSorted())
  })

  for (const user of ['0:0', '4242:4242']) {
    test(`keeps events on a volume as ${user}, on a root that is read-only and without rights`, async () => {
      const exit = await serve({ ...durable(), user }, async (url, container) => {
        await accept(url, 'kept')
        await simulator.waitForRequests(1)
        await container.stop()
      })
      assert.equal(exit.exitCode, 0, exit.stderr)
      assert.equal(simulator.alerts[0]?.dedupKey, 'kept')
    })
  }
})
