import { BlockList, isIP } from 'node:net'
import type { ProxyConfig } from '../config/read-proxy.ts'

/** A proxy, and the variable that names it, for messages. */
export interface ChosenProxy {
  readonly url: string
  readonly variable: 'HTTP_PROXY' | 'HTTPS_PROXY'
}

/**
 * The proxy for one base URL; undefined where there is none or `NO_PROXY` excepts the host. Each variable serves its
 * own scheme only, as with curl.
 */
export function chooseProxy(baseUrl: string, config: ProxyConfig): ChosenProxy | undefined {
  const { httpProxy, httpsProxy, noProxy = '' } = config
  const { protocol, hostname, port } = new URL(baseUrl)
  const isHttps = protocol === 'https:'
  const url = isHttps ? httpsProxy : httpProxy
  if (url === undefined) return undefined
  const target = { host: plainHost(hostname), port: port || (isHttps ? '443' : '80') }
  const entries = noProxy.split(/[\s,]+/).filter((entry) => entry !== '')
  if (entries.some((entry) => excepts(entry, target))) return undefined
  return { url, variable: isHttps ? 'HTTPS_PROXY' : 'HTTP_PROXY' }
}

interface Target {
  readonly host: string
  readonly port: string
}

/**
 * Whether one entry of `NO_PROXY` means the host. The forms are those of curl and Go: `*`, a name (which means its
 * subdomains too), `.name` or `*.name`, an address, a range of addresses in CIDR form; each with or without a port.
 */
function excepts(entry: string, { host, port }: Target): boolean {
  if (entry === '*') return true
  if (entry.includes('/')) return isInRange(host, entry)
  const [, bracketed, bare = entry, entryPort] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(entry) ?? []
  if (entryPort !== undefined && entryPort !== port) return false
  const name = plainHost(bracketed ?? bare).replace(/^\*?\./, '')
  return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`))
}

function isInRange(host: string, range: string): boolean {
  const [network = '', prefix = ''] = range.split('/')
  const family = isIP(plainHost(network))
  const bits = Number(prefix)
  if (family === 0 || family !== isIP(host) || !/^\d+$/.test(prefix) || bits > (family === 4 ? 32 : 128))
    return false
  const list = new BlockList()
  list.addSubnet(plainHost(network), bits, family === 4 ? 'ipv4' : 'ipv6')
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

/** A host in lower case, without an IPv6 address's brackets and a name's last dot. */
function plainHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.+)\]$/, '$1')
    .replace(/\.$/, '')
}
