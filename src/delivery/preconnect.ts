import { connect, type LookupFunction, type Socket } from 'node:net'
import type { DeliveryConfig } from '../config/delivery.ts'

/** TCP connections that were begun before there was anything to speak HTTP with. */
export interface EarlyConnections {
  /** Resolves when the first is under way; then the thread may be kept busy, since the kernel needs none of it to finish. */
  readonly underWay: Promise<unknown>
  /** The next one that nobody has taken, once it is open; rejects as connecting does. Undefined when none is left. */
  take(): Promise<Socket> | undefined
  /** Ends all of them. */
  close(): void
}

/** How long to wait for the name's address before the rest is loaded all the same. */
const LOOKUP_MS = 20

/**
 * Begins to open connections to PagerDuty. Loading the HTTP client takes about as long as a round trip.
 * @param count  one or more
 * @param lookup the system's own where absent
 * @returns undefined where there is nothing to gain or to know yet: plain http, or a proxy
 */
export function openEarly(
  { eventsUrl, proxy, timeoutMs }: Pick<DeliveryConfig, 'eventsUrl' | 'proxy' | 'timeoutMs'>,
  count: number,
  lookup?: LookupFunction,
): EarlyConnections | undefined {
  const { protocol, hostname, port } = new URL(eventsUrl)
  if (protocol !== 'https:' || proxy.httpsProxy !== undefined) return undefined
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const target = { host, port: Number(port || 443), autoSelectFamily: true, ...(lookup && { lookup }) }
  const first = connect(target)
  const sockets = [first, ...Array.from({ length: count - 1 }, () => connect(target))]
  const untaken = sockets.map((socket) => untilOpen(socket, timeoutMs))
  return {
    underWay: Promise.race([
      new Promise((resolve) =>
        first.once('connectionAttempt', () => setImmediate(resolve)).once('close', resolve),
      ),
      new Promise((resolve) => setTimeout(resolve, LOOKUP_MS)),
    ]),
    take: () => untaken.shift(),
    close: () => sockets.forEach((socket) => socket.destroy()),
  }
}

function untilOpen(socket: Socket, timeoutMs: number): Promise<Socket> {
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error('the connection timed out'), { code: 'ETIMEDOUT' }))
  }, timeoutMs)
  const opened = new Promise<Socket>((resolve, reject) => {
    socket
      .once('connect', () => resolve(socket))
      .once('error', reject)
      .once('close', () => clearTimeout(timer))
      .once('connect', () => clearTimeout(timer))
  })
  opened.catch(() => undefined) // whoever takes it sees the error
  return opened
}
