import type { Plugin } from 'rolldown'

/** Modules of Node that are costly to load and seldom needed: their functions load them when they are called. */
const LAZY: ReadonlySet<string> = new Set(['node:crypto', 'node:tls'])

/**
 * Reads Node's own modules by `process.getBuiltinModule`. To import one as an ES module is to read all its exports, and
 * some of those load more on first use: `node:fs` its streams, `node:http` its client and server (30 ms). The names
 * that are imported from a module in `LAZY` have to be functions.
 */
export const builtinModules: Plugin = {
  name: 'builtin-modules',
  renderChunk: (code) => withBuiltinModules(code),
}

/** `import whole, { a, b as c } from "node:x";`, either part absent. */
const IMPORT = /^import (?:(?:\* as )?(\w+\$?\d*))?(?:, )?(?:\{ ([^}]*) \})? from "(node:[\w/]+)";$/gm

/** The code of a chunk with every static import of a module of Node, as rolldown writes them, replaced. */
export function withBuiltinModules(code: string): string {
  return code.replaceAll(
    IMPORT,
    (_, whole: string | undefined, names: string | undefined, module: string) => {
      const loaded = `process.getBuiltinModule("${module}")`
      const lines = whole === undefined ? [] : [`const ${whole} = ${loaded};`]
      if (names !== undefined) lines.push(...namedBindings(names, module, loaded))
      return lines.join('\n')
    },
  )
}

function namedBindings(names: string, module: string, loaded: string): string[] {
  if (!LAZY.has(module)) return [`const { ${names.replaceAll(' as ', ': ')} } = ${loaded};`]
  return names.split(', ').map((name) => {
    const [imported, local = imported] = name.split(' as ')
    return `const ${local} = (...args) => ${loaded}.${imported}(...args);`
  })
}
