/** `events.pagerduty.com:443`, as messages name a server; nothing else of its URL, which may hold credentials. */
export function hostAndPort(url: string): string {
  const { hostname, port, protocol } = new URL(url)
  return `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`
}
