import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BIN, CODESHIP_PRO, KEY } from '../support/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'loading-'))
after(() => rmSync(folder, { recursive: true }))

const builtinsFile = join(folder, 'builtins')
const preload = join(folder, 'preload.cjs')
writeFileSync(
  preload,
  `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(builtinsFile)}, process.moduleLoadList.join('\\n')))`,
)

/** The chunks of the program and the modules of Node that a run loads. */
function loadedBy(args: readonly string[], env: Record<string, string> = {}): Set<string> {
  const coverage = mkdtempSync(join(folder, 'coverage-'))
  const run = spawnSync(process.execPath, ['--require', preload, BIN, ...args], {
    env: { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, ...env, NODE_V8_COVERAGE: coverage },
    stdio: 'ignore', // Node's streams to a pipe would load its network
  })
  assert.equal(run.signal, null)
  const [report = ''] = readdirSync(coverage)
  const { result } = JSON.parse(readFileSync(join(coverage, report), 'utf8')) as { result: { url: string }[] }
  const chunks = result.flatMap(({ url }) => (url.startsWith('file:') ? [basename(fileURLToPath(url))] : []))
  const builtins = readFileSync(builtinsFile, 'utf8').split('\n')
  return new Set([...chunks, ...builtins.map((name) => name.replace('NativeModule ', 'node:'))])
}

const COSTLY = [
  'zod.js',
  'undici.js',
  'json-log.js',
  'node:child_process',
  'node:crypto',
  'node:http',
  'node:internal/util/parse_args/parse_args',
  'node:net',
  'node:timers/promises',
  'node:tls',
  'node:v8',
]

for (const { args, needs, env } of [
  { args: ['--help'], needs: [] },
  { args: ['--version'], needs: [] },
  { args: ['success', '--severity', 'P1'], needs: [] },
  { args: ['success', '--dry-run'], needs: [] },
  { args: ['failure', '--dry-run'], needs: [], env: { PAGERDUTY_TOKEN: 'web=' + KEY } },
]) {
  test(`${args.join(' ')} loads nothing that only sending needs`, () => {
    const loaded = loadedBy(args, env)
    assert.ok(loaded.has('bin.js'))
    assert.deepEqual(
      COSTLY.filter((name) => loaded.has(name)),
      needs,
    )
  })
}

test('a dry run loads the launcher and one file', () => {
  const chunks = [...loadedBy(['success', '--dry-run'])].filter((name) => name.endsWith('.js'))
  assert.deepEqual(chunks.toSorted(), ['bin.js', 'program.js'])
})

test('a plain event is sent without the schema library', () => {
  const loaded = loadedBy(['failure', '--deadline', '1ms'], { PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:9' })
  assert.ok(loaded.has('undici.js'))
  assert.ok(!loaded.has('zod.js') && !loaded.has('json-log.js'))
})

test('what Node loads of itself for sending comes from its own code cache', () => {
  const report = join(folder, 'compiled')
  const counter = join(folder, 'counter.cjs')
  writeFileSync(
    counter,
    `const { internalBinding } = require('internal/test/binding')
    process.on('exit', () => {
      const { compiledWithCache, compiledWithoutCache } = internalBinding('builtins').getCacheUsage()
      const lists = [[...compiledWithCache], [...compiledWithoutCache]]
      require('node:fs').writeFileSync(${JSON.stringify(report)}, JSON.stringify(lists))
    })`,
  )
  const args = ['--expose-internals', '--no-warnings', '--require', counter, BIN]
  spawnSync(process.execPath, [...args, 'failure', '--deadline', '1ms'], {
    env: { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: 'https://127.0.0.1:9' },
    stdio: 'ignore',
  })
  const [cached = [], compiled = []] = JSON.parse(readFileSync(report, 'utf8')) as string[][]
  assert.ok(cached.includes('tls'), cached.join(' '))
  // A socket that ends looks at stderr, which is a file here. Whether one ends in time is chance.
  assert.deepEqual(
    compiled.filter((name) => name !== 'internal/fs/sync_write_stream'),
    [],
  )
})

test('an event is sent without the parts of Node that only look as if they were needed', () => {
  const loaded = loadedBy(['failure', '--deadline', '1ms'], { PAGERDUTY_EVENTS_URL: 'https://127.0.0.1:9' })
  assert.ok(loaded.has('node:tls'))
  for (const name of ['node:http', 'node:assert', 'node:perf_hooks', 'node:timers/promises', 'node:zlib'])
    assert.ok(!loaded.has(name), name)
})

test('no chunk needs the loader of ES modules', () => {
  const chunks = globSync(join(BIN, '../*.js'))
  assert.ok(chunks.length > 5)
  for (const path of chunks) assert.doesNotMatch(readFileSync(path, 'utf8'), /\bimport\(/, path)
})

test('V8 has every flag that the program changes', () => {
  const { stdout } = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })
  const sources = globSync('src/**/*.ts').map((path) => readFileSync(path, 'utf8'))
  const flags = sources.flatMap((source) =>
    [...source.matchAll(/setFlagsFromString\('--(?:no-)?([\w-]+)/g)].map(([, name]) => `--${name} `),
  )
  assert.ok(flags.length >= 4)
  assert.deepEqual(
    flags.filter((flag) => !stdout.includes(flag)),
    [],
  )
})

test('every chunk is in ASCII, which the launcher takes for granted', () => {
  for (const path of globSync(join(BIN, '../*.js')))
    assert.doesNotMatch(readFileSync(path, 'latin1'), /[\u0080-\u00ff]/, path)
})

test('what the relay does not use of its packages is not in the bundle', () => {
  const licenses = readFileSync(join(BIN, '../THIRD_PARTY_LICENSES'), 'utf8')
  const packages = [...licenses.matchAll(/^(\S+) \d+\.\d+\.\d+\S* \(/gm)].map(([, name]) => name)
  assert.ok(packages.includes('fastify') && packages.includes('prom-client'))
  for (const name of ['ajv', '@fastify/ajv-compiler', 'light-my-request', 'semver', '@opentelemetry/api'])
    assert.ok(!packages.includes(name), name)
})
