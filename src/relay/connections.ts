import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Limits the connections of a server: if there are too many, the one that has been idle longest is closed for the new one.
 * Otherwise callers that only hold connections would shut out everybody else, probes included. The limit on requests is
 * lower, so there is always an idle connection to close.
 */
export function limitConnections(server: Server, limit: number): void {
  /** Requests in progress on each connection: more than one if they are pipelined. */
  const requests = new Map<Socket, number>()
  const idle = new Set<Socket>() // longest idle first
  const close = (socket: Socket): void => {
    forget(socket)
    socket.destroy()
  }
  const forget = (socket: Socket): void => {
    requests.delete(socket)
    idle.delete(socket)
  }
  server.on('connection', (socket: Socket) => {
    if (requests.size >= limit) {
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
