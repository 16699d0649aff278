import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { skipWithoutDocker } from '../support/docker.ts'
import { startRelay } from '../support/relay.ts'
import {
  buildImage,
  environmentFor,
  HOST,
  runContainer,
  startReachableSimulator,
  type ContainerExit,
} from './image.ts'
import { until } from '../support/until.ts'

/** What `docker stop` leaves before it kills. */
const DOCKER_STOP_S = 10
/** Less than the deadline of a minute; on a machine that is not busy it is less than Docker leaves. */
const STOPPED_MS = 45_000

suite('run as process 1 of a container', { skip: await skipWithoutDocker() }, () => {
  let image = ''
  let simulator: Simulator
  before(async () => {
    image = await buildImage('shell')
    simulator = await startReachableSimulator()
  })
  beforeEach(() => simulator.reset())
  after(() => simulator.close())

  interface Stopped extends ContainerExit {
    readonly stoppedInMs: number
  }

  /** Runs a script that prints `up`, and stops the container then. */
  async function stopWhenUp(script: string, graceS?: number): Promise<Stopped> {
    let stoppedInMs = 0
    const command = ['pagerduty-alert', 'run', '--', 'sh', '-c', script]
    const exit = await runContainer(image, { command, env: environmentFor(simulator) }, async (container) => {
      await container.printed('up')
      const startedAt = performance.now()
      await container.stop(graceS)
      stoppedInMs = performance.now() - startedAt
    })
    return { ...exit, stoppedInMs }
  }

  const summary = (): string => simulator.changes[0]?.payload.summary ?? ''

  test('docker stop reaches every process of the command, and is reported as a change event', async () => {
    const child = `sh -c 'trap "echo child had it; exit 0" TERM; echo up; while :; do sleep 0.1; done'`
    const { exitCode, stdout, stderr, stoppedInMs } = await stopWhenUp(`${child} & wait`)
    assert.equal(exitCode, 143, stderr)
    assert.match(stdout, /child had it/)
    assert.match(summary(), /was cancelled/)
    assert.equal(simulator.alerts.length, 0)
    assert.ok(stoppedInMs < STOPPED_MS)
  })

  test('a command that will not end is reported before Docker kills it', async () => {
    const { exitCode } = await stopWhenUp(`trap '' TERM; echo up; while :; do sleep 0.1; done`, DOCKER_STOP_S)
    assert.equal(exitCode, 137)
    assert.match(summary(), /was cancelled/)
  })

  test('a PagerDuty that does not answer does not keep the container until Docker kills it', async () => {
    simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
    const { exitCode, stoppedInMs } = await stopWhenUp('echo up; sleep 1000')
    assert.equal(exitCode, 143)
    assert.ok(stoppedInMs < STOPPED_MS)
  })

  test('a container that is killed says nothing, and the relay that outlives it pages', async () => {
    const { PAGERDUTY_TOKEN, ...build } = environmentFor(simulator)
    const relay = await startRelay({
      PAGERDUTY_TOKEN: PAGERDUTY_TOKEN ?? '',
      PAGERDUTY_EVENTS_URL: `http://127.0.0.1:${simulator.port}`,
      PAGERDUTY_RELAY_HOST: '0.0.0.0',
      PAGERDUTY_RELAY_NAMES: HOST,
    })
    try {
      const url = new URL(relay.url)
      url.hostname = HOST
      const env = { ...build, PAGERDUTY_RELAY_URL: url.origin }
      const script = 'echo up; sleep 1000'
      const command = ['pagerduty-alert', 'run', '--within', '2s', '--', 'sh', '-c', script]
      const { exitCode } = await runContainer(image, { command, env }, async (container) => {
        await container.printed('up')
        await until(() => relay.log().includes('deployment has begun'), 'the relay to be told')
        await container.kill('SIGKILL')
      })
      assert.equal(exitCode, 137)
      await until(() => simulator.alerts.length > 0, 'the alert')
      assert.match(simulator.alerts[0]?.title ?? '', /and never ended$/)
      assert.equal(simulator.changes.length, 0)
    } finally {
      await relay.stop()
    }
  })

  test('orphans that have ended do not keep it, nor do those that still run', async () => {
    const script = 'for i in 1 2 3 4 5 6 7 8 9; do (true & true); done; (sleep 1000 & true); exit 5'
    const command = ['pagerduty-alert', 'run', '--', 'sh', '-c', script]
    const exit = await runContainer(image, { command, env: environmentFor(simulator) })
    assert.equal(exit.exitCode, 5, exit.stderr)
    assert.equal(simulator.alerts.length, 1)
  })

  test('a command that cannot be started has the status that a shell gives', async () => {
    const command = ['pagerduty-alert', 'run', '--', 'no-such-command']
    const exit = await runContainer(image, { command, env: environmentFor(simulator), confined: true })
    assert.equal(exit.exitCode, 127, exit.stderr)
    assert.equal(simulator.alerts.length, 1)
  })
})
