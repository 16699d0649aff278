import { connect, type LookupFunction, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DeliveryConfig } from '../config/read-delivery.ts'

/** TCP connections that were begun before there was anything to speak HTTP with. */
export interface EarlyConnections {
  /** The next one that nobody has taken, once it is open; rejects as connecting does. Undefined when none is left. */
  take(): Promise<Socket> | undefined
  /** Ends all of them. */
  close(): void
}

/** How long to wait for the name's address before the rest is loaded all the same. */
const LOOKUP_MS = 20

/**
 * Begins to open connections to PagerDuty, and resolves when the first is under way: then the thread may be kept busy,
 * since the kernel needs none of it to finish. Loading the HTTP client takes about as long as a round trip.
 * @param lookup the system's own where absent
 * @returns undefined where there is nothing to gain or to know yet: plain http, or a proxy
 */
export async function openEarly(
  { eventsUrl, proxy, timeoutMs }: Pick<DeliveryConfig, 'eventsUrl' | 'proxy' | 'timeoutMs'>,
  count: number,
  lookup?: LookupFunction,
): Promise<EarlyConnections | undefined> {
  const { protocol, hostname, port } = new URL(eventsUrl)
  if (protocol !== 'https:' || proxy.httpsProxy !== undefined) return undefined
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const target = { host, port: Number(port || 443), autoSelectFamily: true, ...(lookup && { lookup }) }
  const connections = Array.from({ length: count }, () => open(connect(target), timeoutMs))
  await Promise.race([connections[0]?.isUnderWay, sleep(LOOKUP_MS)])
  const untaken = connections.values()
  return {
    take: () => untaken.next().value?.opened,
    close: () => connections.forEach(({ socket }) => socket.destroy()),
  }
}

interface Opening {
  readonly socket: Socket
  readonly isUnderWay: Promise<void>
  readonly opened: Promise<Socket>
}

function open(socket: Socket, timeoutMs: number): Opening {
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
  const isUnderWay = new Promise<void>((resolve) => {
    socket.once('lookup', () => setImmediate(resolve)).once('close', resolve)
  })
  return { socket, isUnderWay, opened }
}
