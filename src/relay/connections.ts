import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { RELAY_LIMITS } from './limits.ts'

/**
 * Bounds the connections of a server: when there are too many, the one that has been without a request for longest makes
 * room for the new one. Otherwise callers that only hold connections would keep everybody out, probes too. Requests have
 * a limit of their own, below this one, so that there is always a connection without one.
 */
export function limitConnections(server: Server): void {
  /** How many requests are under way on each connection: more than one if they are pipelined. */
  const requests = new Map<Socket, number>()
  const idle = new Set<Socket>() // in the order in which they became so
  const close = (socket: Socket): void => {
    forget(socket)
    socket.destroy()
  }
  const forget = (socket: Socket): void => {
    requests.delete(socket)
    idle.delete(socket)
  }
  server.on('connection', (socket: Socket) => {
    if (requests.size >= RELAY_LIMITS.connections) {
      const [oldest = socket] = idle
      close(oldest)
      if (oldest === socket) return
    }
    requests.set(socket, 0)
    idle.add(socket)
    socket.once('close', () => forget(socket))
  })
  server.on('request', ({ socket }, response) => {
    const count = (change: 1 | -1): void => {
      const before = requests.get(socket)
      if (before === undefined) return
      requests.set(socket, before + change)
      if (before + change === 0) idle.add(socket)
      else idle.delete(socket)
    }
    count(1)
    response.once('close', () => count(-1))
  })
}
