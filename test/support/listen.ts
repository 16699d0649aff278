import type { AddressInfo, Server, Socket } from 'node:net'

/** A server that listens on 127.0.0.1. */
export interface Listening {
  readonly port: number
  /** Ends every connection, and stops listening. */
  readonly close: () => Promise<void>
}

/**
 * Listens on a free port of 127.0.0.1. `close` also ends connections whose TLS handshake has not begun: Node lets them stay
 * open forever, even when the handshake has timed out, and the process of the test would never end.
 */
export async function listen(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
