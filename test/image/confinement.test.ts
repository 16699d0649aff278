import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { skipWithoutDocker } from '../support/docker.ts'
import { buildImage, environmentFor, evaluateInside, runContainer, startReachableSimulator } from './image.ts'

/** Less than the deadline of a minute, and enough for a busy machine. */
const AT_ONCE_MS = 30_000

suite('a container', { skip: await skipWithoutDocker() }, () => {
  let image = ''
  let simulator: Simulator
  before(async () => {
    image = await buildImage()
    simulator = await startReachableSimulator()
  })
  beforeEach(() => simulator.reset())
  after(() => simulator.close())

  test('prints its help and sends nothing when it is given no command', async () => {
    const exit = await runContainer(image, { env: environmentFor(simulator) })
    assert.equal(exit.exitCode, 0)
    assert.match(exit.stdout, /^Usage: pagerduty-alert/m)
    assert.equal(simulator.requests.length, 0)
  })

  test('is not root', async () => {
    assert.equal(await evaluateInside(image, 'process.getuid()'), 65532)
  })

  for (const user of [undefined, '0:0', '4242:4242', '1000']) {
    test(`delivers as ${user ?? 'its own user'}, unable to write and stripped of every right`, async () => {
      const env = environmentFor(simulator)
      const exit = await runContainer(image, {
        command: ['success'],
        env,
        confined: true,
        ...(user === undefined ? {} : { user }),
      })
      assert.equal(exit.exitCode, 0, exit.stderr)
      assert.equal(simulator.changes.length, 1)
    })
  }

  test('writes nothing but lines of its own', async () => {
    const exit = await runContainer(image, {
      command: ['success'],
      env: environmentFor(simulator),
      confined: true,
    })
    assert.equal(exit.stdout, '')
    for (const line of exit.stderr.trimEnd().split('\n')) assert.match(line, /^pagerduty-alert: /)
  })

  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    test(`ends at once with ${status} on ${signal}, as process 1, while PagerDuty keeps it waiting`, async () => {
      simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
      let signalledAt = 0
      const exit = await runContainer(
        image,
        { command: ['failure'], env: environmentFor(simulator) },
        async ({ kill }) => {
          await simulator.waitForRequests(1)
          signalledAt = performance.now()
          await kill(signal)
        },
      )
      assert.equal(exit.exitCode, status, exit.stderr)
      assert.ok(performance.now() - signalledAt < AT_ONCE_MS)
    })
  }
})
