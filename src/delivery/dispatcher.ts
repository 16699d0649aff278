import { setMaxListeners } from 'node:events'
import { Agent, ProxyAgent, type Dispatcher } from 'undici'
import { proxyCredentials } from '../config/read-proxy.ts'
import type { ChosenProxy } from './choose-proxy.ts'

/** undici's dispatcher, and what it does not tell by itself. */
export interface Connections {
  readonly dispatcher: Dispatcher
  /** How many connections were opened or tried so far; undefined where a proxy's are not counted. */
  readonly opened: () => number | undefined
  /** Ends every connection at once, also one that is being opened. */
  readonly close: () => Promise<void>
}

/**
 * Connections to one server, directly or through a proxy.
 * @param connectTimeoutMs how long one may take to open; the attempt that waits for it has its own timer
 */
export function createConnections(proxy: ChosenProxy | undefined, connectTimeoutMs: number): Connections {
  const closing = new AbortController()
  setMaxListeners(0, closing.signal) // each socket is a listener
  const tls = { minVersion: 'TLSv1.2', signal: closing.signal } as const
  // The attempt's own timer covers what these two would; undici's are coarser and would fire beside it.
  const options = { allowH2: false, headersTimeout: 0, bodyTimeout: 0 } as const
  let opened = 0
  const dispatcher =
    proxy === undefined
      ? new Agent({ ...options, connect: { ...tls, timeout: connectTimeoutMs, autoSelectFamily: true } })
      : new ProxyAgent({
          ...options,
          ...splitCredentials(proxy.url),
          proxyTunnel: proxy.variable === 'HTTPS_PROXY',
          connectTimeout: connectTimeoutMs,
          proxyTls: tls,
          requestTls: tls,
        })
  const count = (): void => void (opened += 1)
  dispatcher.on('connect', count).on('connectionError', count)
  return {
    dispatcher,
    opened: () => (proxy === undefined ? opened : undefined),
    close: async () => {
      closing.abort()
      await dispatcher.destroy()
    },
  }
}

/** undici would decode them itself, but throws on a percent sign that stands for itself. */
function splitCredentials(proxyUrl: string): { uri: string; token?: string } {
  const url = new URL(proxyUrl)
  const credentials = proxyCredentials(url)
  url.username = ''
  url.password = ''
  return { uri: url.href, ...(credentials !== undefined && { token: `Basic ${credentials}` }) }
}
