import { BlockList, isIP } from 'node:net'

/** Whether a server is reached without a proxy: it is this machine, or `NO_PROXY` lists it. */
export function isDirect(baseUrl: string, noProxy: string): boolean {
  const { protocol, hostname, port } = new URL(baseUrl)
  const target = { host: plainHost(hostname), port: port || (protocol === 'https:' ? '443' : '80') }
  if (isLoopback(target.host)) return true
  const entries = noProxy.split(/[\s,]+/).filter((entry) => entry !== '')
  return entries.some((entry) => matchesEntry(entry, target))
}

/** Loopback would mean the proxy's machine, so it is excluded, as in Go and curl. `URL` writes any IPv4 address as four numbers. */
function isLoopback(host: string): boolean {
  const isName = host === 'localhost' || host.endsWith('.localhost') // RFC 6761, section 6.3
  return isName || host === '::1' || /^127(?:\.\d+){3}$/.test(host) || host.startsWith('::ffff:7f')
}

interface Target {
  readonly host: string
  readonly port: string
}

/**
 * Whether one entry of `NO_PROXY` matches the host, in the forms of curl and Go: `*`, a name (which means its
 * subdomains too), `.name` or `*.name`, an address, a range of addresses in CIDR form; each with or without a port.
 */
function matchesEntry(entry: string, { host, port }: Target): boolean {
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
