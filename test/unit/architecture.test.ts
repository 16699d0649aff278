import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { test } from 'node:test'

/** Layers from the bottom up. An import may only point down, or stay within its own folder. */
const RANK: Readonly<Record<string, number>> = {
  core: 0,
  'version.ts': 0,
  ci: 1,
  config: 2,
  'json-log.ts': 2.5,
  'log.ts': 3,
  'read-file.ts': 3,
  delivery: 4,
  run: 4,
  shell: 4,
  rest: 5,
  spool: 6,
  'spool/worker': 7,
  fleet: 7.5,
  'compose.ts': 8,
  cli: 9,
  commands: 10,
  relay: 10,
  'main.ts': 12,
  'bin.ts': 13,
}
/** What core may import: a schema library, and a hash, which is as pure as arithmetic. */
const CORE_PACKAGES = new Set(['zod', 'node:crypto'])
const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g

const sourceFiles = globSync('src/**/*.ts')
const layerOf = (path: string): string => {
  const folders = relative('src', path).split(sep)
  return folders.slice(0, 2).join('/') === 'spool/worker' ? 'spool/worker' : (folders[0] ?? '')
}

function importsOf(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(IMPORT)].map(([, specifier = '']) => specifier)
}

test('every file belongs to a layer', () => {
  assert.ok(sourceFiles.length > 20)
  for (const path of sourceFiles) assert.ok(layerOf(path) in RANK, path)
})

test('imports point down only', () => {
  for (const path of sourceFiles) {
    for (const specifier of importsOf(path).filter((name) => name.startsWith('.') && name.endsWith('.ts'))) {
      const from = layerOf(path)
      const to = layerOf(join(dirname(path), specifier))
      const isAllowed = from === to || (RANK[to] ?? Infinity) < (RANK[from] ?? -1)
      assert.ok(isAllowed, `${path} imports ${specifier}`)
    }
  }
})

test('the core imports nothing impure', () => {
  for (const path of sourceFiles.filter((file) => layerOf(file) === 'core')) {
    for (const specifier of importsOf(path).filter((name) => !name.startsWith('.'))) {
      assert.ok(CORE_PACKAGES.has(specifier), `${path} imports ${specifier}`)
    }
  }
})

/** A clock that counts from the start of the process, and what only Node's diagnostic report knows. */
const TOUCH_THE_PROCESS = new Set(['src/bin.ts', 'src/delivery/clock.ts', 'src/run/wait-status.ts'])

test('only bin.ts touches the process, with two exceptions', () => {
  const others = sourceFiles.filter((file) => !TOUCH_THE_PROCESS.has(file))
  assert.ok(others.length > 100)
  for (const path of others) {
    const code = readFileSync(path, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    assert.ok(!/\bprocess\.|= process\b|from 'node:process'/.test(code), path)
  }
})

test('no file imports itself by way of others, types included', () => {
  const graph = new Map(
    sourceFiles.map((path) => [
      path,
      importsOf(path)
        .filter((name) => name.startsWith('.'))
        .map((name) => join(dirname(path), name)),
    ]),
  )
  const done = new Set<string>()
  const visit = (path: string, way: readonly string[]): void => {
    assert.ok(!way.includes(path), [...way.slice(way.indexOf(path)), path].join(' → '))
    if (done.has(path)) return
    for (const next of graph.get(path) ?? []) visit(next, [...way, path])
    done.add(path)
  }
  for (const path of sourceFiles) visit(path, [])
  assert.equal(done.has('src/bin.ts'), true)
})

/** What other folders may import of the spool; everything else is its own affair. */
const SPOOL_ENTRIES = new Set([
  'src/spool/listing.ts',
  'src/spool/spool.ts',
  'src/spool/open.ts',
  'src/spool/deadlines.ts',
  'src/spool/deployment-log.ts',
  'src/spool/describe-entry.ts',
  'src/spool/key-names.ts',
  'src/spool/worker/types.ts',
  'src/spool/worker/worker.ts',
  'src/spool/worker/destinations.ts',
])

/** The fleet keeps the same events, and stores them the same way. */
const LIKE_THE_SPOOL = new Set(['spool', 'spool/worker', 'fleet'])

test('other folders import only the entries of the spool', () => {
  for (const path of sourceFiles.filter((file) => !LIKE_THE_SPOOL.has(layerOf(file)))) {
    for (const specifier of importsOf(path).filter((name) => name.includes('/spool/'))) {
      const target = join(dirname(path), specifier)
      const isAllowed = !target.startsWith('src/spool/') || SPOOL_ENTRIES.has(target)
      assert.ok(isAllowed, `${path} imports ${specifier}`)
    }
  }
})

test('only compose.ts creates transports, spools, workers and senders', () => {
  const creators = /\b(?:createTransport|openSpool|openFleet|startWorker|createSender|createRestClient)\(/
  const callers = sourceFiles.filter((path) =>
    creators.test(readFileSync(path, 'utf8').replaceAll(/(?:function|\*) .*/g, '')),
  )
  assert.deepEqual(callers, ['src/compose.ts'])
})
