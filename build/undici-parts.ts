import type { Plugin } from 'rolldown'

/** What stands for the package in the bundle: of its parts only those that `src` imports by these names. */
const PARTS = `import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'
import connect from 'undici/lib/api/api-connect.js'

// As the package's own index does, for a proxy's tunnel. Requests are dispatched.
Dispatcher.prototype.connect = connect
export { default as Agent } from 'undici/lib/dispatcher/agent.js'
export { default as Pool } from 'undici/lib/dispatcher/pool.js'
export { default as ProxyAgent } from 'undici/lib/dispatcher/proxy-agent.js'
export { default as buildConnector } from 'undici/lib/core/connect.js'
`

/** Whoever calls it has found a use of what is said not to be used. */
const NOT_BUNDLED = "module.exports = () => { throw new Error('this part of undici is not bundled') }"

/** What stands for modules that undici loads and that are not used here, by the ends of their names. */
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
  // Node's loads what it shows differences with, and with that opens stderr.
  'node:assert': `module.exports = (value, message = 'a condition of undici does not hold') => {
    if (!value) throw new Error(message)
  }`,
  // A table of well-known names of headers, which takes longer to make than it can save one event.
  './tree': 'exports.tree = { lookup: () => null }',
  // All of Node's HTTP, of which undici reads the limit of a response's headers (this is Node's default), and a class to
  // compare a request's body with, which is always a buffer here.
  'node:http': 'module.exports = { maxHeaderSize: 16_384, IncomingMessage: class {} }',
}

/**
 * undici without what is not used here. Its index loads fetch, WebSocket, caches and mocks too, and its parts a good deal
 * more: together half of what sending an event costs. A name that is missing above fails the build, a file that undici
 * has moved as well.
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
