import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, suite, test } from 'node:test'
import type { BuildResult } from '../../tools/codeship/run-build.ts'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { baseImageArgs, disposableImages, skipWithoutDocker } from '../support/docker.ts'
import { KEY } from '../support/program.ts'
import { buildImage, startReachableSimulator } from './image.ts'
import { makeRecipeProject, type RecipeProject } from './recipe-project.ts'

const RELAY = 'http://pagerduty:8080'
const CURL = 'curl -fsS --retry 5 --retry-connrefused'

/** A script's lines that send these alert events, one after the other. */
function alerts(...events: readonly (readonly [action: string, dedupKey: string])[]): string {
  const payload = { summary: 'Migrating', source: 'db-1', severity: 'info' }
  return events
    .map(([event_action, dedup_key]) => JSON.stringify({ event_action, dedup_key, payload }))
    .map((body) => `${CURL} -H 'content-type: application/json' -d '${body}' ${RELAY}/v2/enqueue`)
    .join('\n')
}

const outcomes = ({ steps }: BuildResult): string[] => steps.map(({ name, outcome }) => `${name}: ${outcome}`)

suite('the recipes of docs/sidecar.md, pasted into a project', { skip: await skipWithoutDocker() }, () => {
  const images = disposableImages()
  let image = ''
  let curlImage = ''
  let simulator: Simulator
  let project: RecipeProject | undefined
  before(async () => {
    simulator = await startReachableSimulator()
    image = await buildImage()
    curlImage = `FROM ${await buildImage('shell')}\nCOPY deploy.sh .\n`
  })
  beforeEach(() => simulator.reset())
  afterEach(() => project?.remove())
  after(async () => {
    await simulator.close()
    await images.remove()
  })

  async function paste(recipe: string, dockerfile = curlImage): Promise<RecipeProject> {
    const buildOptions = [...images.buildOptions, ...(await baseImageArgs())]
    project = await makeRecipeProject(recipe, { simulator, image, dockerfile, buildOptions })
    return project
  }
  const statuses = (): unknown[] => simulator.alerts.map(({ status, dedupKey }) => [status, dedupKey])
  const sent = (): string[] =>
    simulator.requests.map(({ json }) => {
      const { event_action: action = 'change', dedup_key: key = '' } = json as Record<string, string>
      return `${action} ${key}`.trim()
    })
  const failure = { behaviour: { kind: 'answer', status: 503 } } as const

  test('a deployment that fails pages once, the next good one resolves, and neither holds the key', async () => {
    const { deploy } = await paste('deploy')
    const bad = await deploy('exit 1')
    assert.deepEqual(outcomes(bad), ['deploy: failed', 'deploy, on_fail 1: passed'], bad.log)
    assert.deepEqual(sent(), ['trigger deploy/shop/production'])

    const good = await deploy('echo "keys: $(env | grep -c PAGERDUTY_TOKEN)"')
    assert.ok(good.passed, good.log)
    assert.match(good.log, /keys: 0$/m)
    assert.deepEqual(statuses(), [['resolved', 'deploy/shop/production']])
    assert.equal(simulator.changes.length, 1)
    for (const { log } of [bad, good]) assert.ok(!log.includes(KEY))
  })

  test('a relay that nobody calls sends nothing and does not keep the step from passing', async () => {
    const { deploy, write } = await paste('deploy')
    await write({ 'codeship-steps.yml': '- {service: deploy, command: ./deploy.sh}\n' })
    const result = await deploy('exit 0')
    assert.ok(result.passed, result.log)
    assert.equal(simulator.requests.length, 0)
  })

  test('what a step could not deliver waits in the spool, and flush delivers it in order', async () => {
    const { deploy } = await paste('spool')
    simulator.behave(failure)
    const script = alerts(['trigger', 'a'], ['acknowledge', 'a'], ['resolve', 'a'], ['trigger', 'b'])
    let refused = 0
    const result = await deploy(script, {
      print: (line) => {
        if (line !== '(step: flush) started') return
        refused = simulator.requests.length
        simulator.behave({ behaviour: { kind: 'usual' } })
      },
    })
    assert.deepEqual(outcomes(result), ['deploy: passed', 'flush: passed'], result.log)
    assert.ok(refused > 0, 'it was tried before')
    const delivered = sent().slice(refused)
    assert.deepEqual(
      delivered.filter((what) => what.endsWith(' a')),
      ['trigger a', 'acknowledge a', 'resolve a'],
    )
    const others = delivered.filter((what) => !what.endsWith(' a'))
    assert.deepEqual(others.toSorted(), ['change', 'resolve deploy/shop/production', 'trigger b'])
    assert.ok(!result.log.includes(KEY))
  })

  test('flush fails the build with 75 and the counts while PagerDuty stays down', async () => {
    const { deploy } = await paste('spool')
    simulator.behave(failure)
    const result = await deploy('exit 0', { env: { PAGERDUTY_DEADLINE: '3s' } })
    assert.deepEqual(outcomes(result), ['deploy: passed', 'flush: failed'], result.log)
    assert.equal(result.steps[1]?.exitCode, 75)
    assert.match(result.steps[1]?.output ?? '', /2 pending, 0 delivered, 0 dead/)
  })

  test('flush fails the build with 65 and names the events that are dead', async () => {
    const { deploy } = await paste('spool')
    const body = JSON.stringify({ status: 'invalid event', errors: ['Not on a Friday'] })
    simulator.behave({ endpoint: '/v2/change/enqueue', behaviour: { kind: 'answer', status: 400, body } })
    const result = await deploy('exit 0')
    assert.deepEqual(outcomes(result), ['deploy: passed', 'flush: failed'], result.log)
    assert.equal(result.steps[1]?.exitCode, 65)
    assert.match(result.steps[1]?.output ?? '', /dead: .*Not on a Friday/)
  })

  test('on_fail with a spool ends when PagerDuty has the alert', async () => {
    const { deploy } = await paste('spool')
    simulator.behave({ ...failure, times: 1 })
    const result = await deploy('exit 1')
    const expected = ['deploy: failed', 'deploy, on_fail 1: passed', 'flush: skipped']
    assert.deepEqual(outcomes(result), expected, result.log)
    assert.deepEqual(statuses(), [['triggered', 'deploy/shop/production']])
  })

  test('pagerduty.sh comes from the relay into an image that has only busybox', async () => {
    const { deploy } = await paste(
      'script',
      `ARG NODE_IMAGE
FROM \${NODE_IMAGE} AS parts
RUN apt-get update && apt-get install -y --no-install-recommends busybox-static
RUN mkdir -p /busybox/bin /busybox/tmp && cp /bin/busybox /busybox/ && /busybox/busybox --list | \
    while read -r name; do ln -s /busybox "/busybox/bin/$name"; done
FROM scratch
COPY --from=parts /busybox /
COPY deploy.sh .
`,
    )
    const bad = await deploy('exit 3')
    assert.equal(bad.steps[0]?.exitCode, 3, bad.log)
    assert.deepEqual(statuses(), [['triggered', 'deploy/shop/production']])
    const good = await deploy('exit 0')
    assert.ok(good.passed, good.log)
    assert.deepEqual(statuses(), [['resolved', 'deploy/shop/production']])
    assert.equal(simulator.changes.length, 1)
  })
})
