import { connect, type LookupFunction, type Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { DeliveryConfig } from '../config/delivery.ts'

/** TCP connections that were started before the HTTP client was loaded. */
export interface EarlyConnections {
  /**
   * Resolves when the first one is being opened, and the root certificates are being read: from then on the kernel and another
   * thread do not need this one.
   */
  readonly started: Promise<unknown>
  /** The next unused one, once it is open; rejects with the error of connecting. Undefined when none is left. */
  take(): Promise<Socket> | undefined
  /** Closes all of them. */
  close(): void
}

/** How long to wait for the address of the host name before loading the rest. */
const LOOKUP_MS = 20

/**
 * Starts to open connections to PagerDuty. Loading the HTTP client takes about as long as a round trip.
 * @param count  one or more
 * @param lookup the system's by default
 * @returns undefined if there is nothing to gain: for plain http, or with a proxy
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
    started: Promise.race([
      new Promise((resolve) =>
        first.once('connectionAttempt', () => setImmediate(resolve)).once('close', resolve),
      ),
      new Promise((resolve) => setTimeout(resolve, LOOKUP_MS)),
    ]).then(() => createSecureContext), // loads the module, which reads the certificates
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
  opened.catch(() => undefined) // the caller of `take` gets the error
  return opened
}
