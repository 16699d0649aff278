import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { before, suite, test } from 'node:test'
import { promisify } from 'node:util'
import manifest from '../../package.json' with { type: 'json' }
import { IMAGE_FLAGS } from '../../build/image-flags.ts'
import { docker, skipWithoutDocker } from '../support/docker.ts'
import { KEY } from '../support/program.ts'
import { BUILD_ARGS, buildImage, evaluateInside, runContainer } from './image.ts'

const HOME = '/opt/pagerduty-alert'
/** The image's files, without the folders in which Docker and the kernel place some of theirs. */
const FILES = `['opt', 'usr', 'tmp'].flatMap((top) =>
  fs.readdirSync('/' + top, { recursive: true, withFileTypes: true })
    .filter((entry) => fs.statSync(entry.parentPath + '/' + entry.name).isFile())
    .map(({ parentPath, name }) => parentPath + '/' + name)
    .map((path) => ({ path, mode: fs.statSync(path).mode, uid: fs.statSync(path).uid })))`

/** What every byte and some pairs of bytes mean in each charset, and what else ICU decides that the program relies on. */
const READ_EVERYTHING = `[
  ...['utf-16be', 'shift_jis', 'euc-jp', 'iso-2022-jp', 'gb18030', 'gbk', 'big5', 'euc-kr', 'koi8-r', 'koi8-u', 'macintosh',
    'ibm866', ...[1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16].map((part) => 'iso-8859-' + part),
    ...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((page) => 'windows-125' + page)].map((charset) =>
      new TextDecoder(charset).decode(Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 31) % 256)))),
  new URL('https://b\u00fccher.example').host,
  [...new Intl.Segmenter().segment('e\u0301\ud83d\udc69\u200d\ud83d\udc67')].length,
  new Intl.DateTimeFormat('en', { dateStyle: 'full', timeStyle: 'long', timeZone: 'Pacific/Apia' }).format(0),
]`

interface File {
  readonly path: string
  readonly mode: number
  readonly uid: number
}

interface ImageConfig {
  readonly Labels: Readonly<Record<string, string>>
  readonly User: string
  readonly Entrypoint: readonly string[]
  readonly Cmd: readonly string[]
  readonly Env: readonly string[]
  readonly Healthcheck?: unknown
}

interface Bom {
  readonly bomFormat: string
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } }
  readonly components: readonly { readonly name: string; readonly version: string }[]
}

suite('the image', { skip: await skipWithoutDocker() }, () => {
  let image = ''
  let config: ImageConfig
  let files: readonly File[] = []
  let bom: Bom
  before(async () => {
    image = await buildImage()
    config = JSON.parse(
      await docker(['image', 'inspect', '--format', '{{ json .Config }}', image]),
    ) as ImageConfig
    files = (await evaluateInside(image, FILES)) as File[]
    bom = (await evaluateInside(
      image,
      `JSON.parse(fs.readFileSync('/usr/share/sbom/pagerduty-alert.cdx.json', 'utf8'))`,
    )) as Bom
  })

  test('has two things to start: Node and the program', () => {
    const isLibrary = (path: string): boolean => path.startsWith(`${HOME}/lib/`) && path.includes('.so')
    const executable = files.filter(({ path, mode }) => (mode & 0o111) !== 0 && !isLibrary(path))
    assert.deepEqual(executable.map(({ path }) => path).toSorted(), [
      `${HOME}/bin/pagerduty-alert`,
      `${HOME}/dist/bin.js`,
      `${HOME}/lib/node`,
      '/usr/local/bin/node',
      '/usr/local/bin/pagerduty-alert',
    ])
  })

  test('holds no shell, package manager or source', () => {
    assert.ok(files.length > 20)
    for (const { path } of files)
      assert.doesNotMatch(path, /\/(?:sh|bash|dash|busybox|env|npm|npx)$|\.tsx?$|\.map$/)
  })

  test('holds no key of Codeship and no environment file', () => {
    for (const { path } of files) assert.doesNotMatch(path, /codeship|\.aes$|\.env$|\.encrypted$/)
  })

  test('belongs to root, and nobody else may change what is in it', () => {
    for (const { path, mode, uid } of files) {
      assert.equal(uid, 0, path)
      assert.equal(mode & 0o022, 0, path)
    }
  })

  test('starts only the program, as an unprivileged user, with a harmless default', () => {
    assert.deepEqual(config.Entrypoint, ['/usr/local/bin/pagerduty-alert'])
    assert.deepEqual(config.Cmd, ['--help'])
    assert.equal(config.User, '65532:65532')
    assert.ok(config.Env.includes('PAGERDUTY_RELAY_HOST=0.0.0.0'))
    assert.ok(config.Env.includes(`PD_NODE_OPTS=${IMAGE_FLAGS.join(' ')}`))
    assert.equal(config.Healthcheck, undefined)
  })

  test('says what it is', () => {
    assert.deepEqual(
      Object.fromEntries(
        Object.entries(config.Labels).filter(([name]) => name.startsWith('org.opencontainers.')),
      ),
      {
        'org.opencontainers.image.title': 'pagerduty-alert',
        'org.opencontainers.image.description': manifest.description,
        'org.opencontainers.image.licenses': manifest.license,
        'org.opencontainers.image.version': manifest.version,
        'org.opencontainers.image.revision': BUILD_ARGS.REVISION,
        'org.opencontainers.image.created': BUILD_ARGS.CREATED,
        'org.opencontainers.image.source': BUILD_ARGS.SOURCE,
      },
    )
  })

  test('lists what it is made of: itself, Node, libraries, and every package in the bundle', async () => {
    assert.equal(bom.bomFormat, 'CycloneDX')
    const { name, version } = bom.metadata.component
    assert.deepEqual({ name, version }, { name: manifest.name, version: manifest.version })
    const listed = new Set(bom.components.map((component) => `${component.name} ${component.version}`))
    assert.ok(listed.has(`node ${String(await evaluateInside(image, 'process.versions.node'))}`))
    assert.ok(bom.components.some((component) => component.name === 'libc6'))
    const licences = await licencesIn(image)
    assert.match(licences, /^undici /m)
    for (const [title = ''] of licences.matchAll(/^\S+ \d\S* (?=\(.+\)\n=+$)/gm))
      assert.ok(listed.has(title.trim()), title)
  })

  test('lists no development tool, machine path or time of its own', () => {
    const names = new Set(bom.components.map(({ name }) => name))
    for (const tool of Object.keys(manifest.devDependencies)) {
      const isShipped = tool === 'node' || tool === 'ajv'
      assert.equal(names.has(tool), isShipped, tool)
    }
    assert.doesNotMatch(JSON.stringify(bom), /"\/(?:build|work|root|home|tmp)\b|serialNumber|timestamp/)
  })

  test('carries the licences of what is in it', async () => {
    const paths = files.map(({ path }) => path)
    assert.equal(
      await evaluateInside(image, `fs.readFileSync('${HOME}/LICENSE', 'utf8')`),
      await readFile(new URL('../../LICENSE', import.meta.url), 'utf8'),
    )
    assert.ok(paths.includes(`${HOME}/doc/libc6/copyright`))
    assert.ok(paths.includes(`${HOME}/doc/libstdc++6/copyright`))
    assert.match(await licencesIn(image), /Permission is hereby granted/)
  })

  test('has no names of other languages, and reads every charset as a whole Node does', async () => {
    assert.deepEqual(
      await evaluateInside(image, `Intl.DateTimeFormat.supportedLocalesOf(['de', 'en', 'ja'])`),
      ['en'],
    )
    const whole = await promisify(execFile)(process.execPath, ['-p', `JSON.stringify(${READ_EVERYTHING})`])
    assert.deepEqual(await evaluateInside(image, READ_EVERYTHING), JSON.parse(whole.stdout))
  })

  test('starts the relay from code that was compiled while it was built, whatever user it runs as', async () => {
    const witness = `const vm = require('node:vm')
      vm.Script = class extends vm.Script {
        constructor(source, options) {
          super(source, options)
          console.log(require('node:path').basename(options.filename), this.cachedDataRejected)
        }
      }
      process.argv.splice(1, 0, '${HOME}/dist/bin.js')
      require('${HOME}/dist/bin.js')`
    const { exitCode, stdout, stderr } = await runContainer(image, {
      entrypoint: ['node', '--eval', witness, 'serve'],
      user: '1234:1234',
      env: {
        PAGERDUTY_TOKEN: KEY,
        PAGERDUTY_RELAY_HOST: '192.0.2.1', // no machine has that address, so that the relay ends
      },
    })
    assert.equal(exitCode, 78, stderr)
    for (const file of ['program.js', 'undici.js', 'serve.js'])
      assert.ok(stdout.split('\n').includes(`${file} false`), stdout)
  })
})

async function licencesIn(image: string): Promise<string> {
  return String(await evaluateInside(image, `fs.readFileSync('${HOME}/dist/THIRD_PARTY_LICENSES', 'utf8')`))
}
