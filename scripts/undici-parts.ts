import type { Plugin } from 'rolldown'

/** What stands for the package in the bundle: of its parts only those that `src` imports by these names. */
const PARTS = `import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'
import connect from 'undici/lib/api/api-connect.js'
import request from 'undici/lib/api/api-request.js'

// As the package's own index does; a proxy's tunnel is opened by connect.
Object.assign(Dispatcher.prototype, { connect, request })
export { default as Agent } from 'undici/lib/dispatcher/agent.js'
export { default as ProxyAgent } from 'undici/lib/dispatcher/proxy-agent.js'
export { default as buildConnector } from 'undici/lib/core/connect.js'
`

/**
 * undici without what is not used here. Its index loads fetch, WebSocket, caches and mocks too, and its client HTTP/2,
 * which is switched off (`allowH2: false`): together a third of what sending an event costs. A name that is missing
 * above fails the build, a file that undici has moved as well.
 */
export const undiciParts: Plugin = {
  name: 'undici-parts',
  resolveId: (source) => {
    if (source === 'undici') return '\0undici'
    return source.endsWith('/client-h2.js') ? '\0client-h2' : undefined
  },
  load: (id) => {
    if (id === '\0undici') return { code: PARTS, moduleSideEffects: true }
    if (id === '\0client-h2') {
      return "module.exports = () => { throw new Error('HTTP/2 is switched off') }"
    }
    return undefined
  },
}
