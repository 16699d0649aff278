import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, suite, test } from 'node:test'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { actionsAt, BASIC_CASES, basicClone, basicSession } from '../support/basic.ts'
import { baseImageArgs, disposableImages, docker, skipWithoutDocker } from '../support/docker.ts'
import { environmentFor, runContainer, startReachableSimulator } from './image.ts'

/** Stands for Codeship Basic's machine: bash, curl and jq, and nothing of ours but the script. */
const MACHINE = `ARG NODE_IMAGE
FROM \${NODE_IMAGE}
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl jq && rm /usr/local/bin/node
`

suite('the script on a machine of its own', { skip: await skipWithoutDocker() }, () => {
  let machine = ''
  let simulator: Simulator
  const { buildOptions, remove } = disposableImages()
  before(async () => {
    machine = (
      await docker(['build', '--quiet', ...buildOptions, ...(await baseImageArgs()), '-'], MACHINE)
    ).trim()
    simulator = await startReachableSimulator()
  })
  after(async () => {
    await simulator.close()
    await remove()
  })
  beforeEach(() => simulator.reset())

  for (const [name, deployStatus, isGood, events] of BASIC_CASES) {
    test(`runs the recipe ${name} line by line when the deployment ends with ${deployStatus}`, async () => {
      const clone = basicClone(deployStatus)
      writeFileSync(join(clone, 'session'), basicSession(name))
      const { exitCode, stderr } = await runContainer(machine, {
        entrypoint: ['bash', '--norc', '-c', 'cd /clone && bash --norc <session'],
        env: environmentFor(simulator),
        binds: [`${clone}:/clone`],
      })
      rmSync(clone, { recursive: true })
      assert.equal(exitCode === 0, isGood, stderr)
      assert.deepEqual(actionsAt(simulator), events)
    })
  }
})
