import type { Plugin } from 'rolldown'

/** Throws if something calls a part that we believe is unused. */
const NOT_BUNDLED = "module.exports = () => { throw new Error('this part of a package is not bundled') }"

/** Modules that the relay's packages load but the relay does not use: which package loads which module. */
const UNUSED: readonly (readonly [importer: string, module: string])[] = [
  // Compilers for the JSON schemas of routes. Ours have none: zod checks what comes in, and the app brings stand-ins.
  ['fastify', '@fastify/ajv-compiler'],
  ['fastify', '@fastify/fast-json-stringify-compiler'],
  // Requests without a socket, for tests.
  ['fastify', 'light-my-request'],
  // Checks the version of Fastify that a plugin asks for; the relay's plugins are its own.
  ['fastify', 'semver'],
  // Metrics of Node itself, and with them all of OpenTelemetry's API.
  ['prom-client', './lib/defaultMetrics'],
]

/**
 * Fastify and prom-client without what the relay does not use: that is half of the code that only `serve` loads. The build
 * fails if a package no longer loads a module named above.
 */
export function serverParts(): Plugin {
  const replaced = new Set<string>()
  return {
    name: 'server-parts',
    resolveId: (source, importer = '') => {
      const unused = UNUSED.find(
        ([from, module]) => source === module && importer.includes(`/node_modules/${from}/`),
      )
      if (unused === undefined) return undefined
      replaced.add(source)
      return `\0server-without:${source}`
    },
    load: (id) => (id.startsWith('\0server-without:') ? NOT_BUNDLED : undefined),
    buildEnd: (error) => {
      if (error !== undefined) return
      const left = UNUSED.map(([, module]) => module).filter((module) => !replaced.has(module))
      if (left.length > 0)
        throw new Error(`unused parts that no package loads now: ${left.join(', ')}; see server-parts.ts`)
    },
  }
}
