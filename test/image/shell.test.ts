import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { skipWithoutDocker } from '../support/docker.ts'
import { buildImage, environmentFor, runContainer, startReachableSimulator } from './image.ts'

suite('the image with a shell', { skip: await skipWithoutDocker() }, () => {
  let image = ''
  let simulator: Simulator
  before(async () => {
    image = await buildImage('shell')
    simulator = await startReachableSimulator()
  })
  after(() => simulator.close())

  test('runs the program from a step that is a shell command', async () => {
    const command = [
      'sh',
      '-c',
      'test "$CI_BRANCH" = master && pagerduty-alert success --environment "$CI_BRANCH"',
    ]
    const exit = await runContainer(image, { command, env: environmentFor(simulator), confined: true })
    assert.equal(exit.exitCode, 0, exit.stderr)
    assert.equal(simulator.changes.length, 1)
  })

  test('has curl', async () => {
    const exit = await runContainer(image, { command: ['curl', '--version'] })
    assert.equal(exit.exitCode, 0, exit.stderr)
  })

  test('is not root', async () => {
    assert.equal((await runContainer(image, { command: ['id', '-u'] })).stdout, '65532\n')
  })

  test('prints the help when it is given no command', async () => {
    const exit = await runContainer(image, {})
    assert.equal(exit.exitCode, 0)
    assert.match(exit.stdout, /^Usage: pagerduty-alert/m)
  })
})
