import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, suite, test } from 'node:test'
import { encrypt, parseEncryptionKey } from '../codeship/encryption.ts'
import { hostUrl, runBuild, type BuildResult } from '../codeship/run-build.ts'
import type { Simulator } from '../simulator/simulator.ts'
import { baseImageArgs, docker, skipWithoutDocker } from '../support/docker.ts'
import { KEY } from '../support/program.ts'
import { buildImage, startReachableSimulator } from './image.ts'

/** Where the page's image would be; no registry is asked for it, since it is there. */
const IMAGE = 'registry.example.com/pagerduty-alert:0.1.0'
/** Stands for an image of the user's that has a shell and curl. */
const APP_BASE = 'registry.example.com/sidecar-base:1'
const DOWN = { kind: 'answer', status: 503 } as const

suite(
  'the spool of docs/sidecar.md, pasted into a project on Codeship Pro',
  { skip: await skipWithoutDocker() },
  () => {
    let folder = ''
    let simulator: Simulator
    let services = ''
    let steps = ''
    before(async () => {
      simulator = await startReachableSimulator()
      await docker(['tag', await buildImage(), IMAGE])
      await docker(['tag', await buildImage('shell'), APP_BASE])
      const page = await readFile(new URL('../../docs/sidecar.md', import.meta.url), 'utf8')
      const section = page.slice(page.indexOf('### Across the steps'))
      const blocks = [...section.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text)
      ;[services = '', steps = ''] = blocks
    })
    beforeEach(async () => {
      simulator.reset()
      folder = await mkdtemp(join(tmpdir(), 'codeship-'))
      await mkdir(join(folder, 'spool'))
      await chmod(join(folder, 'spool'), 0o755)
      const key = Buffer.alloc(32, 1).toString('base64')
      const env = `PAGERDUTY_TOKEN=${KEY}\nPAGERDUTY_ENVIRONMENT=production\n`
      await write('codeship.aes', key)
      await write('env.encrypted', encrypt(Buffer.from(env), parseEncryptionKey('k', key)))
      await write('.dockerignore', '*\n!deploy.sh\n')
      await write('Dockerfile', `ARG NODE_IMAGE\nFROM ${APP_BASE}\nCOPY deploy.sh .\n`)
      await write('codeship-services.yml', services)
    })
    afterEach(() => rm(folder, { recursive: true }))
    after(async () => {
      await simulator.close()
      await docker(['rmi', IMAGE, APP_BASE])
    })

    async function write(name: string, text: string): Promise<void> {
      await writeFile(join(folder, name), text, { mode: 0o755 })
    }

    /** @param onLine is told of every line of the log */
    async function build(
      script: string,
      stepsText = steps,
      onLine?: (line: string) => void,
    ): Promise<BuildResult> {
      await write('deploy.sh', `#!/bin/sh\n${script}\n`)
      await write('codeship-steps.yml', stepsText)
      const env = { PAGERDUTY_EVENTS_URL: hostUrl(simulator.port), PAGERDUTY_DEADLINE: '8s' }
      const buildOptions = await baseImageArgs()
      const print = onLine && { print: onLine }
      const result = await runBuild({ folder, tag: 'master', env, buildOptions, ...print })
      assert.ok(!result.log.includes(KEY))
      return result
    }
    const ends = ({ steps: ended }: BuildResult): string[] =>
      ended.map(({ name, outcome, exitCode }) =>
        [name, outcome, exitCode].filter((part) => part !== undefined).join(' '),
      )

    test('what PagerDuty did not take during the deployment is delivered by flush, the last step', async () => {
      simulator.behave({ behaviour: DOWN })
      const result = await build('exit 0', steps, (line) => {
        if (line.includes('(step: flush)') && simulator.changes.length === 0) simulator.reset()
      })
      assert.deepEqual(ends(result), ['deploy passed 0', 'flush passed 0'], result.log)
      assert.equal(simulator.changes.length, 1)
      assert.match(result.log, /0 pending, 2 delivered, 0 dead/)
    })

    test('flush fails the build while PagerDuty has not everything, and says how much is left', async () => {
      simulator.behave({ behaviour: DOWN })
      const result = await build('exit 0')
      assert.deepEqual(ends(result), ['deploy passed 0', 'flush failed 75'], result.log)
      assert.match(result.log, /not everything is delivered: spool: 2 pending, 0 delivered, 0 dead/)
    })

    test('flush fails the build where PagerDuty refused an event, and names it', async () => {
      simulator.behave({ endpoint: '/v2/enqueue', behaviour: { kind: 'answer', status: 400 } })
      const result = await build('exit 0')
      assert.deepEqual(ends(result), ['deploy passed 0', 'flush failed 65'], result.log)
      assert.match(result.log, /dead: resolve of deploy\/.*\/production: 400/)
    })

    test('a deployment that fails pages once, though PagerDuty fails at first', async () => {
      simulator.behave({ times: 2, behaviour: DOWN })
      const result = await build('exit 3')
      assert.deepEqual(
        ends(result),
        ['deploy failed 3', 'deploy, on_fail 1 passed 0', 'flush skipped'],
        result.log,
      )
      assert.deepEqual(
        simulator.alerts.map(({ status, triggers }) => [status, triggers]),
        [['triggered', 1]],
      )
    })

    test('a relay that nobody calls sends nothing, and is no trouble', async () => {
      const result = await build('exit 0', '- name: test\n  service: app\n  command: ./deploy.sh\n')
      assert.deepEqual(ends(result), ['test passed 0'], result.log)
      assert.equal(simulator.requests.length, 0)
    })

    test('the client that the relay hands out runs in a container with a shell and curl', async () => {
      const fetched =
        'curl -fsS --retry 5 --retry-connrefused http://pagerduty:8080/pagerduty.sh -o /tmp/p.sh'
      const report = 'PAGERDUTY_RELAY_URL=http://pagerduty:8080 sh /tmp/p.sh run ./deploy.sh'
      const result = await build(
        'exit 4',
        `- name: deploy\n  service: app\n  command: sh -c '${fetched} && ${report}'\n`,
      )
      assert.deepEqual(ends(result), ['deploy failed 4'], result.log)
      assert.match(simulator.alerts[0]?.title ?? '', /failed with exit status 4/)
    })
  },
)
