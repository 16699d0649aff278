import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, suite, test } from 'node:test'
import { encrypt, parseEncryptionKey } from '../../tools/codeship/encryption.ts'
import { hostUrl, runBuild, type BuildResult } from '../../tools/codeship/run-build.ts'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { baseImageArgs, disposableImages, docker, skipWithoutDocker } from '../support/docker.ts'
import { KEY } from '../support/program.ts'
import { buildImage, startReachableSimulator } from './image.ts'

/** Where the README's image would be; no registry is contacted, since it exists locally. */
const IMAGE = 'registry.example.com/pagerduty-alert:0.1.0'

/** Stands for an image of the user's that has a shell and curl. */
const APP_BASE = 'registry.example.com/app-base:1'

suite('the README’s recipes, pasted into a project', { skip: await skipWithoutDocker() }, () => {
  const images = disposableImages()
  let folder = ''
  let simulator: Simulator
  let pasted: (language: string) => string[]
  before(async () => {
    simulator = await startReachableSimulator()
    await docker(['tag', await buildImage(), IMAGE])
    await docker(['tag', await buildImage('shell'), APP_BASE])
    folder = await mkdtemp(join(tmpdir(), 'codeship-'))
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
    pasted = (language) =>
      [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, name, text = '']) =>
        name === language ? [text] : [],
      )
    const key = Buffer.alloc(32, 1).toString('base64')
    const env = `PAGERDUTY_TOKEN=${KEY}\nPAGERDUTY_ENVIRONMENT=production\n`
    await write({
      'codeship.aes': key,
      'env.encrypted': encrypt(Buffer.from(env), parseEncryptionKey('k', key)),
      '.dockerignore': '*\n!deploy.sh\n',
    })
  })
  beforeEach(() => simulator.reset())
  after(async () => {
    await simulator.close()
    await images.remove()
    await docker(['rmi', IMAGE, APP_BASE])
    await rm(folder, { recursive: true })
  })

  async function write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  }

  async function deploy(script: string): Promise<BuildResult> {
    await writeFile(join(folder, 'deploy.sh'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    const env = { PAGERDUTY_EVENTS_URL: hostUrl(simulator.port) }
    const buildOptions = [...images.buildOptions, ...(await baseImageArgs())]
    return await runBuild({ folder, tag: 'master', env, buildOptions })
  }

  /** A deployment that fails and one that succeeds, and what is to be seen of the steps of the first. */
  async function failThenSucceed(badSteps: readonly string[]): Promise<void> {
    const bad = await deploy('exit 1')
    const outcomes = bad.steps.map(({ name, outcome }) => `${name}: ${outcome}`)
    assert.deepEqual(outcomes, badSteps, bad.log)
    assert.equal(simulator.alerts[0]?.status, 'triggered')

    const good = await deploy('exit 0')
    assert.ok(good.passed, good.log)
    assert.deepEqual(
      simulator.alerts.map(({ status, dedupKey }) => [status, dedupKey]),
      [['resolved', 'deploy/shop/production']],
    )
    assert.equal(simulator.changes.length, 1)
    for (const { log } of [bad, good]) assert.ok(!log.includes(KEY))
  }

  test('an alert opens when the deployment fails, which the next good one resolves beside a change event', async () => {
    const [services = '', steps = ''] = pasted('yaml')
    const dockerfile = `ARG NODE_IMAGE\nFROM \${NODE_IMAGE}\nCOPY deploy.sh .\n${pasted('dockerfile').join('')}`
    await write({
      'codeship-services.yml': services,
      'codeship-steps.yml': steps,
      Dockerfile: dockerfile,
    })
    await failThenSucceed(['deploy: failed', 'deploy, on_fail 1: passed', 'pagerduty-alert: skipped'])
  })

  test('with the sidecar the result is the same, and the deploying container has no key', async () => {
    const [, , services = '', steps = ''] = pasted('yaml')
    const dockerfile = `ARG NODE_IMAGE\nFROM ${APP_BASE}\nCOPY deploy.sh .\n`
    await write({
      'codeship-services.yml': services,
      'codeship-steps.yml': steps,
      Dockerfile: dockerfile,
    })
    await failThenSucceed(['deploy: failed', 'deploy, on_fail 1: passed'])
    const { log } = await deploy('echo "keys: $(env | grep -c PAGERDUTY_TOKEN)"')
    assert.match(log, /keys: 0$/m)
  })
})
