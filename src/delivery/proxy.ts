import { isDirect } from '../config/no-proxy.ts'
import type { ProxyConfig } from '../config/proxy.ts'

/** A proxy, and the variable that names it, for messages. */
export interface ChosenProxy {
  readonly url: string
  readonly variable: 'HTTP_PROXY' | 'HTTPS_PROXY'
}

/**
 * The proxy for one base URL; undefined if there is none, the host is this machine, or `NO_PROXY` lists it. Each variable is
 * for its own scheme only, as in curl. No library: proxy-from-env ignores CIDR in `NO_PROXY`.
 */
export function chooseProxy(baseUrl: string, config: ProxyConfig): ChosenProxy | undefined {
  const { httpProxy, httpsProxy, noProxy = '' } = config
  const isHttps = baseUrl.startsWith('https:')
  const url = isHttps ? httpsProxy : httpProxy
  if (url === undefined || isDirect(baseUrl, noProxy)) return undefined
  return { url, variable: isHttps ? 'HTTPS_PROXY' : 'HTTP_PROXY' }
}
