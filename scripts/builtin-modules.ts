import type { Plugin } from 'rolldown'

/** Modules of Node that are costly to load and seldom needed: their functions load them when they are called. */
const LAZY: ReadonlySet<string> = new Set([
  'node:child_process',
  'node:crypto',
  'node:net',
  'node:os',
  'node:timers/promises',
  'node:tls',
])

/**
 * Reads Node's own modules by `process.getBuiltinModule`. To import one as an ES module is to read all its exports, and
 * some of those load more on first use: `node:fs` its streams, `node:http` its client and server (30 ms). Of a module
 * in `LAZY` only functions may be imported where it is to be loaded late; for a class or a constant it is loaded at once.
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

/** Classes, and the one constant: an object of numbers. */
const NO_FUNCTION = /^(?:[A-Z]|constants\b)/

function namedBindings(names: string, module: string, loaded: string): string[] {
  const isLate = LAZY.has(module) && names.split(', ').every((name) => !NO_FUNCTION.test(name))
  if (!isLate) return [`const { ${names.replaceAll(' as ', ': ')} } = ${loaded};`]
  return names.split(', ').map((name) => {
    const [imported, local = imported] = name.split(' as ')
    return `const ${local} = (...args) => ${loaded}.${imported}(...args);`
  })
}
