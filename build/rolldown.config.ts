import { chmodSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { defineConfig, type Plugin } from 'rolldown'
import manifest from '../package.json' with { type: 'json' }
import { asciiOnly } from './ascii-only.ts'
import { lateBuiltinModules } from './late-builtin-modules.ts'
import { buildPageFiles } from './page-files.ts'
import { serverParts } from './server-parts.ts'
import { thirdPartyLicenses } from './third-party-licenses.ts'
import { sqlFiles } from '../src/fleet/sql-files.ts'
import { undiciParts } from './undici-parts.ts'

const licenses: Plugin = {
  name: 'third-party-licenses',
  generateBundle(_options, bundle) {
    const moduleIds = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
    this.emitFile({ type: 'asset', fileName: 'THIRD_PARTY_LICENSES', source: thirdPartyLicenses(moduleIds) })
  },
}

/** The page that the relay shows is inside the bundle, so that it is part of the program. */
const page: Plugin = {
  name: 'page',
  load: {
    filter: { id: /src.relay.page-files\.ts$/ },
    handler: async () =>
      `const files = ${JSON.stringify(await buildPageFiles())}; export const pageFiles = () => files`,
  },
}

/** So are the tables and functions of a fleet. */
const sql: Plugin = {
  name: 'sql',
  load: {
    filter: { id: /src.fleet.sql-files\.ts$/ },
    handler: () => {
      const files = sqlFiles()
      return `export const SQL_FILES = ${JSON.stringify(Object.keys(files))}; const files = ${JSON.stringify(files)}; export const sqlFiles = () => files`
    },
  },
}

/** The version that undici needs; older versions of Node cannot even parse the program. */
const OLDEST_NODE = manifest.engines.node.replace(/[^\d.]/g, '')

/** The launcher, and the file that tells Node that everything here is CommonJS, whatever surrounds it. */
const launcher: Plugin = {
  name: 'launcher',
  generateBundle() {
    const source = readFileSync('build/launcher.cjs', 'utf8').replace('OLDEST_NODE', OLDEST_NODE)
    this.emitFile({ type: 'asset', fileName: 'bin.js', source })
    this.emitFile({ type: 'asset', fileName: 'package.json', source: '{ "type": "commonjs" }\n' })
  },
}

/** npm makes a package's `bin` executable when it installs it, but a build may also just be copied. */
const executable: Plugin = {
  name: 'executable',
  writeBundle: () => chmodSync('dist/bin.js', 0o755),
}

/** The source files that a file imports when it is loaded, itself included. Types and `import()` do not count. */
function staticallyImportedBy(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found
  found.add(path)
  for (const [, specifier = ''] of readFileSync(path, 'utf8').matchAll(STATIC_IMPORT))
    staticallyImportedBy(resolve(dirname(path), specifier), found)
  return found
}

const STATIC_IMPORT = /^(?:import|export) (?!type )[^'(]*'(\.[^']*\.ts)'/gm
/** What every command loads, so it is one file. */
const LOADED_AT_START = staticallyImportedBy(resolve('src/bin.ts'))

/** One file, since neither is of use without the other. */
const JSON_LOG =
  /src.json-log\.ts$|node_modules.(?:@?pino|atomic-sleep|on-exit-leak-free|quick-format|safe-stable|sonic-boom|thread-stream)/
/** What only `serve` loads. Apart from the program, because it stays the same in most releases: see Dockerfile. */
const SERVER_PACKAGES =
  /node_modules.(?:@?fastify|ajv|avvio|fast-|fastq|find-my-way|json-schema-|light-my-request|prom-client|rfdc|secure-json-parse|semver|tdigest|toad-cache)/

// Minified without mangling: 4 % less start-up time and 17 % fewer bytes to pull than readable code, and the stack of a
// bug that somebody reports still has its function names (with mangling: 7 % and 26 %).
// Each dynamic import becomes a separate chunk, so `--help` does not read what only sending needs; code that several chunks
// share becomes one too.
export default defineConfig({
  input: 'src/bin.ts',
  platform: 'node',
  moduleTypes: { '.sh': 'text' }, // the script that the relay serves
  output: {
    dir: 'dist',
    format: 'cjs',
    dynamicImportInCjs: false, // a script with a code cache cannot import dynamically (`build/launcher.cjs`)
    cleanDir: true,
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    entryFileNames: 'program.js',
    chunkFileNames: '[name].js',
    minifyInternalExports: false, // short names would change in the packages' files whenever the program changes
    codeSplitting: {
      groups: [
        { name: 'program', test: (id) => LOADED_AT_START.has(id) },
        { name: 'undici', test: /undici/ },
        { name: 'zod', test: /node_modules.zod/ },
        { name: 'postgres', test: /node_modules.(?:pg|postgres|split2)/ },
        { name: 'json-log', test: JSON_LOG },
        { name: 'server-packages', test: SERVER_PACKAGES },
      ],
    },
  },
  plugins: [
    page,
    sql,
    undiciParts,
    serverParts(),
    lateBuiltinModules,
    asciiOnly,
    licenses,
    launcher,
    executable,
  ],
})
