import { chmodSync, readFileSync } from 'node:fs'
import { defineConfig, type Plugin } from 'rolldown'
import manifest from './package.json' with { type: 'json' }
import { lateBuiltinModules } from './scripts/late-builtin-modules.ts'
import { thirdPartyLicenses } from './scripts/third-party-licenses.ts'
import { undiciParts } from './scripts/undici-parts.ts'

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
    const source = readFileSync('src/launcher.cjs', 'utf8').replace('OLDEST_NODE', OLDEST_NODE)
    this.emitFile({ type: 'asset', fileName: 'bin.js', source })
    this.emitFile({ type: 'asset', fileName: 'package.json', source: '{ "type": "commonjs" }\n' })
  },
}

/** npm marks a package's `bin` executable when it installs it; a build that was only copied has to be so by itself. */
const executable: Plugin = {
  name: 'executable',
  writeBundle: () => chmodSync('dist/bin.js', 0o755),
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
    dynamicImportInCjs: false, // which a script that is compiled by a code cache cannot (`src/launcher.cjs`)
    cleanDir: true,
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    entryFileNames: 'program.js',
    chunkFileNames: '[name].js',
    codeSplitting: {
      groups: [
        { name: 'undici', test: /undici/ },
        { name: 'zod', test: /node_modules.zod/ },
        {
          name: 'shared',
          test: /src.(?:ci|commands(?!.(?:report-)?run\.ts)|config|core(?!.(?:event-schema|read-event|user-event))|delivery.(?:choose-proxy|tls-options|spool.(?:checksum|sqlite-error))|log|version)/,
          minShareCount: 2,
        },
      ],
    },
  },
  plugins: [undiciParts, lateBuiltinModules, licenses, launcher, executable],
})
