import { chmodSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { defineConfig, type Plugin } from 'rolldown'
import manifest from '../package.json' with { type: 'json' }
import { lateBuiltinModules } from './late-builtin-modules.ts'
import { thirdPartyLicenses } from './third-party-licenses.ts'
import { undiciParts } from './undici-parts.ts'

const licenses: Plugin = {
  name: 'third-party-licenses',
  generateBundle(_options, bundle) {
    const moduleIds = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
    this.emitFile({ type: 'asset', fileName: 'THIRD_PARTY_LICENSES', source: thirdPartyLicenses(moduleIds) })
  },
}

/** What undici asks for; older versions of Node cannot even parse the program. */
const OLDEST_NODE = manifest.engines.node.replace(/[^\d.]/g, '')

/** The program's beginning, and what tells Node that it and the rest are CommonJS, whatever is around them. */
const launcher: Plugin = {
  name: 'launcher',
  generateBundle() {
    const source = readFileSync('build/launcher.cjs', 'utf8').replace('OLDEST_NODE', OLDEST_NODE)
    this.emitFile({ type: 'asset', fileName: 'bin.js', source })
    this.emitFile({ type: 'asset', fileName: 'package.json', source: '{ "type": "commonjs" }\n' })
  },
}

/** npm marks a package's `bin` executable when it installs it; a build that was only copied has to be so by itself. */
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
    'spool/checksum.ts',
    'spool/errors.ts',
    'log.ts',
    'version.ts',
  ].map((file) => `src/${file}`),
]
/** What only some of those commands need: the schema library, Node's child processes, the masking of a failed run's output. */
const APART = [
  'commands/run.ts',
  'commands/report-run.ts',
  'core/event-document.ts',
  'core/event-schema.ts',
  'core/find-known.ts',
  'core/find-needles.ts',
  'core/mask-output.ts',
  'core/normalize-event.ts',
  'core/output.ts',
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
// What is imported dynamically becomes a chunk of its own, so that `--help` does not read what only sending needs. Each
// chunk costs about half a millisecond to find and load, so what several commands share is one: all but what needs the
// schema library, which only events written by others do, and what starts a watched command, which loads Node's child
// processes.
export default defineConfig({
  input: 'src/bin.ts',
  platform: 'node',
  moduleTypes: { '.sh': 'text' }, // what the relay hands out
  output: {
    dir: 'dist',
    format: 'cjs',
    dynamicImportInCjs: false, // which a script that is compiled by a code cache cannot (`build/launcher.cjs`)
    cleanDir: true,
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    entryFileNames: 'program.js',
    chunkFileNames: '[name].js',
    codeSplitting: {
      groups: [
        { name: 'undici', test: /undici/ },
        { name: 'zod', test: /node_modules.zod/ },
        { name: 'shared', test: isShared, minShareCount: 2 },
      ],
    },
  },
  plugins: [undiciParts, lateBuiltinModules, licenses, launcher, executable],
})
