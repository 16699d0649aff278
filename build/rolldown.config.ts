import { chmodSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { defineConfig, type Plugin } from 'rolldown'
import manifest from '../package.json' with { type: 'json' }
import { lateBuiltinModules } from './late-builtin-modules.ts'
import { buildPageFiles } from './page-files.ts'
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

/** What several commands need, by folder or file. */
const SHARED = [
  ...['ci', 'cli', 'commands', 'config', 'core'].map((folder) => `src/${folder}/`),
  ...[
    'delivery/proxy.ts',
    'delivery/tls-options.ts',
    'spool/rows.ts',
    'spool/errors.ts',
    'log.ts',
    'version.ts',
  ].map((file) => `src/${file}`),
]
/**
 * What only some of these commands need: the schema library, the HTTP client, Node's child processes, deployment records,
 * the masking of a failed run's output.
 */
const APART = [
  'commands/confirm.ts',
  'commands/describe-incidents.ts',
  'commands/find-shown.ts',
  'commands/holder.ts',
  'commands/incident-look.ts',
  'commands/incident-note.ts',
  'commands/poll.ts',
  'commands/roll-back.ts',
  'commands/watch-signals.ts',
  'commands/who-is-paged.ts',
  'commands/why-not-shown.ts',
  'commands/run.ts',
  'commands/report-run.ts',
  'core/deployment',
  'core/event-document.ts',
  'core/event-schema.ts',
  'core/find-known.ts',
  'core/find-needles.ts',
  'core/mask-output.ts',
  'core/normalize-event.ts',
  'core/secret-looks.ts',
  'core/secret-shapes',
  'core/secret-values.ts',
].map((file) => `src/${file}`)

/** @param id the absolute path of a module */
function isShared(id: string): boolean {
  const path = relative(process.cwd(), id).replaceAll('\\', '/')
  return SHARED.some((start) => path.startsWith(start)) && !APART.some((start) => path.startsWith(start))
}

// Minified without mangling: 4 % less start-up time and 17 % fewer bytes to pull than readable code, and the stack of a
// bug that somebody reports still has its function names (with mangling: 7 % and 26 %).
// Each dynamic import becomes a separate chunk, so `--help` does not read what only sending needs. A chunk costs about half a
// millisecond to find and load, so the code that several commands share is one chunk, with two exceptions: code that needs the
// schema library, which only events written by others do, and code that starts a watched command, which loads Node's child
// processes.
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
    codeSplitting: {
      groups: [
        { name: 'undici', test: /undici/ },
        { name: 'zod', test: /node_modules.zod/ },
        { name: 'postgres', test: /node_modules.(?:pg|postgres|split2)/ },
        { name: 'shared', test: isShared, minShareCount: 2 },
      ],
    },
  },
  plugins: [page, sql, undiciParts, lateBuiltinModules, licenses, launcher, executable],
})
