import type { Plugin } from 'rolldown'

/** Replaces the package in the bundle: only the parts that `src` imports by these names. */
const PARTS = `import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'
import connect from 'undici/lib/api/api-connect.js'

// As the package's own index does, for a proxy's tunnel. Requests are dispatched.
Dispatcher.prototype.connect = connect
export { default as Agent } from 'undici/lib/dispatcher/agent.js'
export { default as Pool } from 'undici/lib/dispatcher/pool.js'
export { default as ProxyAgent } from 'undici/lib/dispatcher/proxy-agent.js'
export { default as buildConnector } from 'undici/lib/core/connect.js'
`

/** Throws if something calls a part that we believe is unused. */
const NOT_BUNDLED = "module.exports = () => { throw new Error('this part of undici is not bundled') }"

/** Replacements for modules that undici loads but we do not use, by the end of their names. */
const UNUSED: Readonly<Record<string, string>> = {
  // HTTP/2 is switched off (`allowH2: false`).
  '/client-h2.js': NOT_BUNDLED,
  // The other parser, which an environment variable could choose: 130 kB of WebAssembly.
  './parser-h1.js': 'exports.getMiloEnabled = () => false',
  // A request's body is always a buffer here, never a form or a stream.
  '/web/fetch/body.js': NOT_BUNDLED,
  '/web/fetch/formdata': NOT_BUNDLED,
  '/web/webidl': NOT_BUNDLED,
  // A proxy speaks HTTP.
  './socks5-proxy-agent': NOT_BUNDLED,
  // Node's own module loads the code that prints differences, which opens stderr.
  'node:assert': `module.exports = (value, message = 'a condition of undici does not hold') => {
    if (!value) throw new Error(message)
  }`,
  // A table of well-known header names, which takes longer to build than it saves for one event.
  './tree': 'exports.tree = { lookup: () => null }',
  // All of Node's HTTP. undici only reads the limit of a response's headers (this is Node's default), and a class to compare
  // a request's body with; ours is always a buffer.
  'node:http': 'module.exports = { maxHeaderSize: 16_384, IncomingMessage: class {} }',
}

/**
 * undici without the parts we do not use. Its index also loads fetch, WebSocket, caches and mocks, and its parts load much
 * more: together that is half the cost of sending an event. The build fails if a name is missing above, or if undici has
 * moved a file.
 */
export const undiciParts: Plugin = {
  name: 'undici-parts',
  resolveId: (source, importer) => {
    if (source === 'undici') return '\0undici'
    if (!importer?.includes('/node_modules/undici/')) return undefined
    const unused = Object.keys(UNUSED).find((name) => source.endsWith(name))
    return unused === undefined ? undefined : `\0undici-without:${unused}`
  },
  load: (id) => {
    if (id === '\0undici') return { code: PARTS, moduleSideEffects: true }
    const [, unused] = id.split('\0undici-without:')
    return unused === undefined ? undefined : UNUSED[unused]
  },
}
