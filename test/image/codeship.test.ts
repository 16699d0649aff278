import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { hostUrl, runBuild, type BuildResult } from '../../tools/codeship/run-build.ts'
import { startSimulator, type Simulator } from '../../tools/simulator/simulator.ts'
import { baseImageArgs, skipWithoutDocker } from '../support/docker.ts'

/** What `env.encrypted` holds. */
const KEY = '0demo0demo0demo0demo0demo0demo00'

/** More than PagerDuty takes in a summary, with all that may be in the way. */
const LONG_MESSAGE = `Say "hello" to 'them'\n\u0007\u001b[31m\t😀`.padEnd(5000, 'é😀')

suite('this repository’s own Codeship files', { skip: await skipWithoutDocker() }, () => {
  let simulator: Simulator
  before(async () => {
    simulator = await startSimulator({ host: '0.0.0.0', knownKeys: [KEY] })
  })
  beforeEach(() => simulator.reset())
  after(() => simulator.close())

  async function build(tag: string, message = 'Charge cards once'): Promise<BuildResult> {
    return await runBuild({
      folder: fileURLToPath(new URL('../..', import.meta.url)),
      tag,
      commit: { repository: 'acme/shop', id: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9', message },
      env: { PAGERDUTY_EVENTS_URL: hostUrl(simulator.port), PAGERDUTY_DEADLINE: '30s' },
      buildOptions: await baseImageArgs(),
    })
  }
  const outcomes = ({ steps }: BuildResult): string[] =>
    steps.map(({ name, outcome }) => `${name}: ${outcome}`)

  test('send a change event and a resolve from master, and show no key', async () => {
    const result = await build('master', LONG_MESSAGE)
    assert.ok(result.passed, result.log)
    assert.deepEqual(outcomes(result), ['test: passed', 'pagerduty-alert: passed'])
    const sent = simulator.requests.map(
      ({ path, json }) => `${path} ${(json as { event_action?: string }).event_action ?? 'change'}`,
    )
    assert.deepEqual(sent.toSorted(), ['/v2/change/enqueue change', '/v2/enqueue resolve'])
    const summary = simulator.changes[0]?.payload.summary ?? ''
    assert.match(summary, /acme\/shop@5f0c1d2 .*: Say "hello" to 'them'$/)
    assert.ok(!result.log.includes(KEY))
  })

  test('send nothing from another branch', async () => {
    const result = await build('feature/x')
    assert.ok(result.passed, result.log)
    assert.deepEqual(outcomes(result), ['test: passed', 'pagerduty-alert: skipped'])
    assert.equal(simulator.requests.length, 0)
  })

  test('fail the step and the build when PagerDuty refuses the event, in its words', async () => {
    simulator.behave({ endpoint: '/v2/change/enqueue', behaviour: { kind: 'echo', status: 400 } })
    const body = JSON.stringify({ status: 'invalid event', errors: ['Not on a Friday'] })
    simulator.behave({ endpoint: '/v2/enqueue', behaviour: { kind: 'answer', status: 400, body } })
    const result = await build('master')
    assert.equal(result.passed, false)
    assert.deepEqual(outcomes(result), ['test: passed', 'pagerduty-alert: failed'])
    assert.equal(result.steps[1]?.exitCode, 65)
    assert.match(result.log, /Not on a Friday/)
    assert.ok(!result.log.includes(KEY))
  })
})
