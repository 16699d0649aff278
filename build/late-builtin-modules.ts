import type { Plugin } from 'rolldown'

/** Node modules that are expensive to load and rarely needed. */
const LATE: ReadonlySet<string> = new Set([
  'node:child_process',
  'node:crypto',
  'node:net',
  'node:os',
  'node:timers/promises',
  'node:tls',
  'node:tty',
  'node:v8',
  'node:zlib',
])

/**
 * Loads those modules on first use instead of at the start of a chunk: for a function, when it is called; for a class that
 * another one extends, immediately.
 */
export const lateBuiltinModules: Plugin = {
  name: 'late-builtin-modules',
  renderChunk: (code) => withLateBuiltinModules(code),
}

/** `let node_x = require("node:x");`, as rolldown writes the import of a Node module. */
const REQUIRE = /^let (\w+) = (require\("(node:[\w/]+)"\));\n/gm

/**
 * Rewrites a chunk so that the first use of such a module loads it; a module that is used as a whole stays as it is. The
 * module is remembered, since `require` costs 0.3 µs each time, and a relay uses some for every event.
 */
export function withLateBuiltinModules(code: string): string {
  let result = code
  for (const [line, name, require, module] of code.matchAll(REQUIRE)) {
    if (name === undefined || require === undefined || module === undefined || !LATE.has(module)) continue
    const uses = new RegExp(`\\b${name}\\.`, 'g')
    const isUsedAsWhole = new RegExp(`\\b${name}\\b`).test(result.replace(line, '').replaceAll(uses, ''))
    if (isUsedAsWhole) continue
    // In parentheses, since `new` would bind to `require`.
    result = result.replaceAll(uses, `(${name} ??= ${require}).`).replace(line, `let ${name};\n`)
  }
  return result
}
