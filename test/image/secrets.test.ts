import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { baseImageArgs, disposableImages, docker, skipWithoutDocker } from '../support/docker.ts'
import { KEY } from '../support/program.ts'
import { buildImage, environmentFor, evaluateInside, runContainer, startReachableSimulator } from './image.ts'

suite('secrets', { skip: await skipWithoutDocker() }, () => {
  let image = ''
  let folder = ''
  let simulator: Simulator
  before(async () => {
    image = await buildImage()
    simulator = await startReachableSimulator()
    folder = await mkdtemp(join(tmpdir(), 'pagerduty-alert-'))
    await chmod(folder, 0o755)
    await writeFile(join(folder, 'key'), `${KEY}\n`)
  })
  after(async () => {
    await simulator.close()
    await rm(folder, { recursive: true })
  })

  test('given as a file are delivered with, and are not seen by Docker', async () => {
    const { PAGERDUTY_TOKEN: _, ...env } = environmentFor(simulator)
    let inspected = ''
    const exit = await runContainer(
      image,
      {
        command: ['failure', '--verbose'],
        env: { ...env, PAGERDUTY_TOKEN_FILE: '/run/secrets/key', LOG_LEVEL: 'trace' },
        binds: [`${folder}:/run/secrets:ro`],
      },
      async ({ inspect }) => {
        inspected = await inspect()
      },
    )
    assert.equal(exit.exitCode, 0, exit.stderr)
    assert.equal(simulator.alerts.length, 1)
    assert.match(inspected, /PAGERDUTY_TOKEN_FILE/)
    for (const seen of [inspected, exit.stdout, exit.stderr]) assert.ok(!seen.includes(KEY))
  })

  test('are not in the logs of a container that was given them in its environment', async () => {
    simulator.behave({ times: 1, behaviour: { kind: 'echo', status: 400 } })
    for (const format of ['text', 'json']) {
      const env = { ...environmentFor(simulator), LOG_LEVEL: 'trace', LOG_FORMAT: format }
      const { stdout, stderr } = await runContainer(image, { command: ['failure', '--json'], env })
      assert.match(stdout, /"outcome"/)
      assert.ok(!`${stdout}${stderr}`.includes(KEY))
    }
  })

  test('have no place in the image: its configuration and history name no variable of that kind', async () => {
    const config = await docker(['image', 'inspect', '--format', '{{ json .Config }}', image])
    const history = await docker(['history', '--no-trunc', '--format', '{{ .CreatedBy }}', image])
    assert.match(history, /COPY/)
    for (const seen of [config, history]) assert.doesNotMatch(seen, /token|secret|password|routing_key/i)
  })

  test('never reach the builder, which is handed the sources and nothing else', async (t) => {
    const { buildOptions, remove } = disposableImages()
    t.after(remove)
    const dockerfile = 'ARG NODE_IMAGE\nFROM ${NODE_IMAGE}\nCOPY . /context\n'
    const args = ['build', '--quiet', '--file', '-', ...buildOptions, ...(await baseImageArgs()), '.']
    const context = (await docker(args, dockerfile)).trim()
    assert.deepEqual(await evaluateInside(context, 'fs.readdirSync("/context")'), [
      '.npmrc',
      'LICENSE',
      'build',
      'package-lock.json',
      'package.json',
      'pagerduty.sh',
      'scripts',
      'src',
      'tsconfig.json',
      'ui',
    ])
  })
})
