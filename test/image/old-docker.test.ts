import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, beforeEach, suite, test } from 'node:test'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { skipWithoutDocker } from '../support/docker.ts'
import { buildImage, environmentFor, runContainer, startReachableSimulator } from './image.ts'

/*
 * The seccomp profile of Docker before 20.10.10 does not know clone3, with which glibc 2.34 and newer start threads, and
 * answers it with EPERM. glibc falls back to clone only if the answer is ENOSYS, which is what newer profiles give
 * (moby/moby#42681).
 */

/** Docker's numbers of the two answers. */
const [EPERM, ENOSYS] = [1, 38]
/** SIGSEGV, by which Node aborts when it gets no thread. */
const CRASHED = 139

/** A profile that allows everything but clone3. */
function answeringClone3(errnoRet: number): object {
  const rule = { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet }
  return { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] }
}

suite('under the seccomp profile', { skip: await skipWithoutDocker() }, () => {
  let image = ''
  let simulator: Simulator
  before(async () => {
    image = await buildImage()
    simulator = await startReachableSimulator()
  })
  beforeEach(() => simulator.reset())
  after(() => simulator.close())

  const report = async (seccomp: object): ReturnType<typeof runContainer> =>
    await runContainer(image, { command: ['failure'], env: environmentFor(simulator), seccomp })

  test('of Docker 20.10.10 and newer it sends', async () => {
    const { exitCode, stderr } = await report(answeringClone3(ENOSYS))
    assert.equal(exitCode, 0, stderr)
    assert.equal(simulator.alerts.length, 1)
  })

  test('of an older Docker it ends as the documentation says, and without one it sends', async () => {
    const page = await readFile(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8')
    const { exitCode, stderr } = await report(answeringClone3(EPERM))
    assert.equal(exitCode, CRASHED)
    const [, symptom = ''] = /exit status 139,? and\s+`([^`]+)`/.exec(page) ?? []
    assert.ok(symptom !== '' && stderr.includes(symptom), stderr)
    const unconfined = { defaultAction: 'SCMP_ACT_ALLOW' }
    assert.equal((await report(unconfined)).exitCode, 0)
  })
})
