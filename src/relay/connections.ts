import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { RELAY_LIMITS } from './limits.ts'

/**
 * Bounds the connections of a server: when there are too many, the one that has been without a request for longest makes
 * room for the new one. Else callers that only hold connections would keep everybody out, probes too.
 */
export function limitConnections(server: Server): void {
  const all = new Set<Socket>()
  const idle = new Set<Socket>() // in the order in which they became so
  server.on('connection', (socket: Socket) => {
    all.add(socket)
    if (all.size > RELAY_LIMITS.connections) closeOldest(idle)
    idle.add(socket)
    socket.once('close', () => {
      all.delete(socket)
      idle.delete(socket)
    })
  })
  server.on('request', ({ socket }, response) => {
    idle.delete(socket)
    response.once('close', () => {
      if (all.has(socket)) idle.add(socket)
    })
  })
  // What is above the limit is for probes while as many requests are under way.
  server.maxConnections = RELAY_LIMITS.connections + RELAY_LIMITS.spareConnections
}

function closeOldest(idle: Set<Socket>): void {
  const [oldest] = idle
  if (oldest === undefined) return
  idle.delete(oldest)
  oldest.destroy()
}
