import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, suite, test } from 'node:test'
import { encrypt, parseEncryptionKey } from '../codeship/encryption.ts'
import { hostUrl, runBuild, type BuildResult } from '../codeship/run-build.ts'
import type { Simulator } from '../simulator/simulator.ts'
import { baseImageArgs, docker, skipWithoutDocker } from '../support/docker.ts'
import { KEY } from '../support/program.ts'
import { buildImage, startReachableSimulator } from './image.ts'

/** Where the README's image would be; no registry is asked for it, since it is there. */
const IMAGE = 'registry.example.com/pagerduty-alert:0.1.0'

suite('the README’s recipe, pasted into a project', { skip: await skipWithoutDocker() }, () => {
  let folder = ''
  let simulator: Simulator
  before(async () => {
    simulator = await startReachableSimulator()
    await docker(['tag', await buildImage(), IMAGE])
    folder = await mkdtemp(join(tmpdir(), 'codeship-'))
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
    const pasted = (language: string): string[] =>
      [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, name, text = '']) =>
        name === language ? [text] : [],
      )
    const [services = '', steps = ''] = pasted('yaml')
    const key = Buffer.alloc(32, 1).toString('base64')
    const env = `PAGERDUTY_TOKEN=${KEY}\nPAGERDUTY_ENVIRONMENT=production\n`
    const files = {
      'codeship-services.yml': services,
      'codeship-steps.yml': steps,
      'codeship.aes': key,
      'env.encrypted': encrypt(Buffer.from(env), parseEncryptionKey('k', key)),
      Dockerfile: `ARG NODE_IMAGE\nFROM \${NODE_IMAGE}\nCOPY deploy.sh .\n${pasted('dockerfile').join('')}`,
      '.dockerignore': '*\n!deploy.sh\n',
    }
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  })
  beforeEach(() => simulator.reset())
  after(async () => {
    await simulator.close()
    await docker(['rmi', IMAGE])
    await rm(folder, { recursive: true })
  })

  async function deploy(script: string): Promise<BuildResult> {
    await writeFile(join(folder, 'deploy.sh'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    const env = { PAGERDUTY_EVENTS_URL: hostUrl(simulator.port) }
    return await runBuild({ folder, tag: 'master', env, buildOptions: await baseImageArgs() })
  }

  test('opens an alert when the deployment fails, which the next good one resolves beside a change event', async () => {
    const bad = await deploy('exit 1')
    assert.deepEqual(
      bad.steps.map(({ name, outcome }) => `${name}: ${outcome}`),
      ['deploy: failed', 'deploy, on_fail 1: passed', 'pagerduty-alert: skipped'],
      bad.log,
    )
    assert.equal(simulator.alerts[0]?.status, 'triggered')

    const good = await deploy('exit 0')
    assert.ok(good.passed, good.log)
    assert.deepEqual(
      simulator.alerts.map(({ status, dedupKey }) => [status, dedupKey]),
      [['resolved', 'deploy/shop/production']],
    )
    assert.equal(simulator.changes.length, 1)
    for (const { log } of [bad, good]) assert.ok(!log.includes(KEY))
  })
})
