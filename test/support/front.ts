import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A server in front of another: it spoils some connections and passes the rest through. */
export interface Front {
  readonly url: string
  readonly port: number
  /** Connections so far, spoilt or not. */
  readonly connections: () => number
  readonly close: () => Promise<void>
}

export interface FrontOptions {
  /** The server behind it, on loopback. */
  readonly port: number
  readonly spoil: (connection: Socket) => void
  /** How many connections are spoilt, the first ones. */
  readonly times: number
}

/** Starts a front on a free port of 127.0.0.1. */
export async function startFront({ port, spoil, times }: FrontOptions): Promise<Front> {
  const sockets = new Set<Socket>()
  let connections = 0
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket))
  }
  const server = createServer((socket) => {
    keep(socket)
    connections += 1
    if (connections <= times) return spoil(socket)
    const behind = connect(port, '127.0.0.1')
    keep(behind)
    socket.pipe(behind).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const own = (server.address() as AddressInfo).port
  return {
    url: `http://127.0.0.1:${own}`,
    port: own,
    connections: () => connections,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
