import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, suite, test } from 'node:test'
import { encrypt, parseEncryptionKey } from '../../tools/codeship/encryption.ts'
import { runBuild, type BuildOptions, type BuildResult } from '../../tools/codeship/run-build.ts'
import { baseImageArgs, disposableImages, docker, skipWithoutDocker } from '../support/docker.ts'

const KEY = Buffer.alloc(32, 1).toString('base64')
/** Debian with Node and curl; anything with a shell would do. */
const DOCKERFILE = 'ARG NODE_IMAGE\nFROM ${NODE_IMAGE}\nSTOPSIGNAL SIGKILL\n'

suite('a build', { skip: await skipWithoutDocker() }, () => {
  const folders: string[] = []
  const images = disposableImages()
  after(async () => {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })))
    await images.remove()
  })

  /** Runs Codeship files. The service `app` is there, unless others are given. */
  async function build(
    files: { readonly steps: string; readonly [name: string]: string },
    options: Partial<BuildOptions> = {},
  ): Promise<BuildResult & { folder: string; outputOf: (step: string) => string }> {
    const { steps, services = 'app: {build: .}', ...others } = files
    const folder = await mkdtemp(join(tmpdir(), 'codeship-'))
    folders.push(folder)
    const all = {
      'codeship-steps.yml': steps,
      'codeship-services.yml': services,
      Dockerfile: DOCKERFILE,
      'codeship.aes': KEY,
      ...others,
    }
    for (const [name, text] of Object.entries(all)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), text)
    }
    const buildOptions = [...images.buildOptions, ...(await baseImageArgs())]
    const result = await runBuild({ folder, tag: 'master', buildOptions, ...options })
    const outputOf = (name: string): string => result.steps.find((step) => step.name === name)?.output ?? ''
    return { ...result, folder, outputOf }
  }
  const outcomes = ({ steps }: BuildResult): string[] =>
    steps.map(({ name, outcome }) => `${name}: ${outcome}`)

  test('hands a command to the entrypoint as words, with no shell in between', async () => {
    const { passed, outputOf } = await build({
      services: `app: {build: ., entrypoint: "printf '<%s>'"}`,
      steps: `- {name: words, service: app, command: "$CI_BRANCH && 'a b' > *.txt"}`,
    })
    assert.ok(passed)
    assert.equal(outputOf('words'), '<$CI_BRANCH><&&><a b><>><*.txt>')
  })

  test('gives each service its environment: Codeship’s over its files’, those over its own, and -e over all', async () => {
    const encrypted = encrypt(Buffer.from('B=encrypted\nC=encrypted\n'), parseEncryptionKey('k', KEY))
    const { passed, outputOf, log } = await build(
      {
        services: 'app: {build: ., environment: {A: own, B: own, C: own}, encrypted_env_file: env.encrypted}',
        steps: '- {name: env, service: app, command: env}',
        'env.encrypted': encrypted,
      },
      { env: { C: 'given' }, commit: { message: 'Title\n\nBody' } },
    )
    assert.ok(passed, log)
    const lines = new Set(outputOf('env').split('\n'))
    for (const line of ['A=own', 'B=encrypted', 'C=given', 'CI_NAME=codeship', 'CI_BRANCH=master', 'Body'])
      assert.ok(lines.has(line), line)
  })

  test('runs every step in a fresh container, and leaves none', async () => {
    const { passed, steps, outputOf, log } = await build({
      steps: [
        '- {name: first, service: app, command: sh -c "touch /tmp/trace && cat /etc/hostname"}',
        '- {name: second, service: app, command: test ! -e /tmp/trace}',
      ].join('\n'),
    })
    assert.ok(passed, log)
    assert.equal(steps.length, 2)
    await assert.rejects(docker(['container', 'inspect', outputOf('first')]), /No such container/)
  })

  test('mounts folders of the repository', async () => {
    const { passed, folder, log } = await build({
      services: 'app: {build: ., volumes: ["./data:/data"]}',
      steps: '- {service: app, command: cp /data/in /data/out}',
      'data/in': 'kept',
    })
    assert.ok(passed, log)
    assert.equal(await readFile(join(folder, 'data/out'), 'utf8'), 'kept')
  })

  test('keeps a named volume from step to step, and removes it with the build', async () => {
    const volumes = async (): Promise<string[]> =>
      (await docker(['volume', 'ls', '--quiet'])).split('\n').filter((name) => name.startsWith('codeship-'))
    const { passed, log } = await build({
      services: 'app: {build: ., volumes: ["cache:/cache"]}',
      steps: [
        '- {name: write, service: app, command: touch /cache/trace}',
        '- {name: read, service: app, command: test -e /cache/trace}',
      ].join('\n'),
    })
    assert.ok(passed, log)
    assert.deepEqual(await volumes(), [])
  })

  test('takes a variable without a value from this machine', async () => {
    const { outputOf } = await build(
      {
        services: 'app: {build: ., environment: [GIVEN, ABSENT]}',
        steps: `- name: env\n  service: app\n  command: sh -c 'echo "\${GIVEN-unset} \${ABSENT-unset}"'\n`,
      },
      { machine: { GIVEN: 'from here' } },
    )
    assert.equal(outputOf('env'), 'from here unset')
  })

  test('starts dependencies first, fresh for each step, reachable by name and alias, and waits for their health', async () => {
    const server =
      'let n = 0; require("http").createServer((q, r) => r.end(q.url === "/health" ? "" : String(++n))).listen(80)'
    const { passed, outputOf, log } = await build({
      services: [
        'app: {build: ., depends_on: [counter], links: ["counter:also"]}',
        'counter: {build: {context: ., dockerfile: Dockerfile.counter}}',
      ].join('\n'),
      'Dockerfile.counter': [
        DOCKERFILE,
        'HEALTHCHECK --interval=1s --retries=60 CMD curl -fsS http://127.0.0.1/health',
        `CMD ["node", "-e", ${JSON.stringify(`setTimeout(() => { ${server} }, 300)`)}]`,
      ].join('\n'),
      steps: [
        '- {name: first, service: app, command: curl -sS http://counter http://also}',
        '- {name: second, service: app, command: curl -sS http://counter}',
      ].join('\n'),
    })
    assert.ok(passed, log)
    assert.match(log, /^\(service: counter\) waiting for it to become healthy$/m)
    assert.deepEqual([outputOf('first'), outputOf('second')], ['12', '1'])
  })

  test('fails if a dependency does not become healthy', async () => {
    const { passed, log } = await build({
      services:
        'app: {build: ., depends_on: [sick]}\nsick: {build: {context: ., dockerfile: Dockerfile.sick}}',
      'Dockerfile.sick': `${DOCKERFILE}HEALTHCHECK --interval=1s --retries=1 CMD false\nCMD ["sleep", "60"]\n`,
      steps: '- {name: step, service: app, command: true}',
    })
    assert.ok(!passed)
    assert.match(log, /^\(service: sick\) did not become healthy$/m)
  })

  test('stops at the first failure, and runs its on_fail in the same service', async () => {
    const result = await build({
      services: 'app: {build: ., environment: {WHO: app}}\nother: {build: .}',
      steps: [
        '- {name: good, service: other, command: true}',
        '- name: bad',
        '  service: app',
        '  command: sh -c "exit 3"',
        '  on_fail:',
        '    - {name: broken handler, command: "false"}',
        `    - {name: handler, command: 'sh -c "echo $WHO"'}`,
        '- {name: after, service: other, command: true}',
      ].join('\n'),
    })
    assert.equal(result.passed, false)
    assert.deepEqual(outcomes(result), [
      'good: passed',
      'bad: failed',
      'broken handler: failed',
      'handler: passed',
      'after: skipped',
    ])
    assert.equal(result.steps[1]?.exitCode, 3)
    assert.equal(result.outputOf('handler'), 'app')
    assert.match(result.log, /^\(step: bad\) failed ✗ with exit status 3$/m)
  })

  test('fails if a program does not exist, and says which', async () => {
    const { passed, steps, log } = await build({
      steps: '- {name: typo, service: app, command: depoly}',
    })
    assert.equal(passed, false)
    assert.equal(steps[0]?.exitCode, 127)
    assert.match(log, /cannot be started: .*depoly/)
  })

  test('lets the others of a parallel group finish, then fails the group', async () => {
    const result = await build({
      steps: [
        '- name: group',
        '  type: parallel',
        '  service: app',
        '  on_fail: [{name: handler, command: true}]',
        '  steps:',
        '    - {name: bad, command: "false"}',
        '    - {name: slow, command: sleep 1}',
        '- {name: after, service: app, command: true}',
      ].join('\n'),
    })
    assert.equal(result.passed, false)
    assert.deepEqual(outcomes(result), ['bad: failed', 'slow: passed', 'handler: passed', 'after: skipped'])
  })

  test('leaves out what belongs to other builds, and builds no image for it', async () => {
    const result = await build(
      {
        services: 'app: {build: .}\nother: {image: registry.invalid/never-pulled}',
        steps: [
          '- {name: both, service: app, command: true}',
          '- {name: theirs, service: other, command: true, tag: master}',
          '- {name: group, type: serial, service: other, exclude: ^feature/, steps: [{command: true}]}',
          '- {name: push, service: app, type: push, image_name: a/b}',
          '- {name: manual, type: manual, service: app, steps: [{name: late, command: true}]}',
        ].join('\n'),
      },
      { tag: 'feature/x' },
    )
    assert.ok(result.passed, result.log)
    assert.deepEqual(outcomes(result), [
      'both: passed',
      'theirs: skipped',
      'group: skipped',
      'push: skipped',
      'manual: skipped',
    ])
    assert.match(result.log, /^\(step: theirs\) skipped: it is for master$/m)
    assert.doesNotMatch(result.log, /service: other/)
  })

  test('runs manual steps once they are approved, and says so to them', async () => {
    const steps =
      '- {type: manual, service: app, steps: [{name: late, command: sh -c "echo $CI_BUILD_APPROVED"}]}'
    const { outputOf } = await build({ steps }, { approved: true })
    assert.equal(outputOf('late'), 'true')
  })

  test('knows no way to PagerDuty’s own hosts', async () => {
    const hosts = [
      'events.pagerduty.com',
      'events.eu.pagerduty.com',
      'api.pagerduty.com',
      'api.eu.pagerduty.com',
    ]
    const lookUp = `for (const host of process.argv.slice(1)) require("dns").lookup(host, {all: true}, (_, a) => console.log(...a.map((b) => b.address)))`
    const { outputOf, log } = await build({
      steps: `- {name: look, service: app, command: 'node -e ''${lookUp}'' ${hosts.join(' ')}'}`,
    })
    const lines = outputOf('look').split('\n')
    assert.equal(lines.length, hosts.length, log)
    for (const line of lines) assert.match(line, /^(?:127\.0\.0\.1|::1)(?: (?:127\.0\.0\.1|::1))*$/)
  })

  test('fills build arguments from templates and encrypted files, out of sight', async () => {
    const encrypted = encrypt(Buffer.from('HIDDEN=hidden-value\n'), parseEncryptionKey('k', KEY))
    const { outputOf, log } = await build({
      services:
        'app: {build: {context: ., args: {BRANCH: "{{ .Branch }}"}, encrypted_args_file: args.encrypted}}',
      Dockerfile: `${DOCKERFILE}ARG BRANCH\nARG HIDDEN\nRUN echo $BRANCH $HIDDEN >/args\n`,
      'args.encrypted': encrypted,
      steps: '- {name: show, service: app, command: cat /args}',
    })
    assert.equal(outputOf('show'), 'master hidden-value')
    assert.equal(log.split('hidden-value').length, 2) // the step's own output
  })

  test('ends when it is told to, and removes what it started', async () => {
    const interruption = new AbortController()
    let id = ''
    const print = (line: string): void => {
      const [, hostname] = /^\(service: app\) ([0-9a-f]{12})$/.exec(line) ?? []
      if (hostname === undefined) return
      id = hostname
      interruption.abort(new Error('interrupted'))
    }
    const steps = '- {name: long, service: app, command: sh -c "cat /etc/hostname; sleep 600"}'
    await assert.rejects(build({ steps }, { signal: interruption.signal, print }), { message: 'interrupted' })
    await assert.rejects(docker(['container', 'inspect', id]), /No such container/)
  })
})
