import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { skipWithoutDocker } from '../support/docker.ts'
import { buildImage, environmentFor, runContainer, startReachableSimulator } from './image.ts'

suite('the exit status of a container', { skip: await skipWithoutDocker() }, () => {
  let image = ''
  let simulator: Simulator
  before(async () => {
    image = await buildImage()
    simulator = await startReachableSimulator()
  })
  beforeEach(() => simulator.reset())
  after(() => simulator.close())

  const accepted = [
    { command: ['success'], endpoints: ['/v2/change/enqueue', '/v2/enqueue'] },
    { command: ['failure'], endpoints: ['/v2/enqueue'] },
    { command: ['pagerduty-alert', 'success'], endpoints: ['/v2/change/enqueue', '/v2/enqueue'] },
    { command: ['true'], endpoints: ['/v2/change/enqueue', '/v2/enqueue'] },
  ]
  for (const { command, endpoints } of accepted) {
    test(`is 0 once PagerDuty has accepted everything: ${command.join(' ')}`, async () => {
      const exit = await runContainer(image, { command, env: environmentFor(simulator) })
      assert.equal(exit.exitCode, 0, exit.stderr)
      assert.deepEqual(simulator.requests.map(({ path }) => path).toSorted(), endpoints)
    })
  }

  test('is 64 for an option that does not exist, and nothing is sent', async () => {
    const exit = await runContainer(image, {
      command: ['success', '--colour'],
      env: environmentFor(simulator),
    })
    assert.equal(exit.exitCode, 64, exit.stderr)
    assert.match(exit.stderr, /--colour/)
    assert.equal(simulator.requests.length, 0)
  })

  test('is 65 when PagerDuty refuses the event, in PagerDuty’s words', async () => {
    const env = { ...environmentFor(simulator), PAGERDUTY_TOKEN: 'f'.repeat(32) }
    const exit = await runContainer(image, { command: ['failure'], env })
    assert.equal(exit.exitCode, 65, exit.stderr)
    assert.match(exit.stderr, /[Ii]nvalid/)
    assert.equal(simulator.alerts.length, 0)
  })

  test('is 75 when PagerDuty takes nothing before the deadline', async () => {
    simulator.behave({ behaviour: { kind: 'answer', status: 503 } })
    const env = { ...environmentFor(simulator), PAGERDUTY_DEADLINE: '5s' }
    const exit = await runContainer(image, { command: ['failure'], env })
    assert.equal(exit.exitCode, 75, exit.stderr)
    assert.ok(simulator.requests.length > 0)
  })

  test('is 75 when the host name cannot be resolved', async () => {
    const env = {
      ...environmentFor(simulator),
      PAGERDUTY_EVENTS_URL: 'https://events.invalid',
      PAGERDUTY_DEADLINE: '500ms',
    }
    const exit = await runContainer(image, { command: ['failure'], env })
    assert.equal(exit.exitCode, 75, exit.stderr)
  })

  test('is 78 without a key, and nothing is sent', async () => {
    const env = { ...environmentFor(simulator), PAGERDUTY_TOKEN: '' }
    const exit = await runContainer(image, { command: ['success'], env })
    assert.equal(exit.exitCode, 78, exit.stderr)
    assert.match(exit.stderr, /PAGERDUTY_TOKEN/)
    assert.equal(simulator.requests.length, 0)
  })
})
