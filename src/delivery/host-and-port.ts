/** `events.pagerduty.com:443`, for messages: the rest of the URL may contain credentials. */
export function hostAndPort(url: string): string {
  const { hostname, port, protocol } = new URL(url)
  return `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`
}
