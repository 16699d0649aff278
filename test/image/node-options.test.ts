import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { skipWithoutDocker } from '../support/docker.ts'
import { buildImage, environmentFor, runContainer, startReachableSimulator } from './image.ts'

/** What a CI may set for its own programs: a file that this image does not have, and an option that no Node knows. */
const OF_THE_CI = '--require /app/instrument.cjs --no-such-option'

suite('the image under the NODE_OPTIONS of a CI', { skip: await skipWithoutDocker() }, () => {
  let image = ''
  let simulator: Simulator
  before(async () => {
    image = await buildImage()
    simulator = await startReachableSimulator()
  })
  beforeEach(() => simulator.reset())
  after(() => simulator.close())

  test('they do not keep the program from starting', async () => {
    const env = { ...environmentFor(simulator), NODE_OPTIONS: OF_THE_CI }
    const { exitCode, stderr } = await runContainer(image, { command: ['success'], env })
    assert.equal(exitCode, 0, stderr)
    assert.equal(simulator.changes.length, 1)
  })

  test('run passes them on to the command', async () => {
    const env = { ...environmentFor(simulator), NODE_OPTIONS: OF_THE_CI }
    const show = ['/opt/pagerduty-alert/lib/node', '--print', 'process.env.NODE_OPTIONS']
    const { exitCode, stdout, stderr } = await runContainer(image, { command: ['run', '--', ...show], env })
    assert.equal(exitCode, 0, stderr)
    assert.equal(stdout.trim(), OF_THE_CI)
  })

  test('PD_NODE_OPTS takes their place', async () => {
    const env = { PD_NODE_OPTS: '--no-such-option' }
    const { exitCode, stderr } = await runContainer(image, { command: ['--version'], env })
    assert.notEqual(exitCode, 0)
    assert.match(stderr, /--no-such-option/)
  })
})
