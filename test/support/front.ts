import { connect, createServer, type Socket } from 'node:net'
import { listen } from './listen.ts'

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
  let connections = 0
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    connections += 1
    if (connections <= times) return spoil(socket)
    const behind = connect(port, '127.0.0.1').on('error', () => undefined)
    behind.on('close', () => socket.destroy())
    socket.on('close', () => behind.destroy())
    socket.pipe(behind).pipe(socket)
  })
  const { port: own, close } = await listen(server)
  return { url: `http://127.0.0.1:${own}`, port: own, connections: () => connections, close }
}
