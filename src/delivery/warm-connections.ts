import type { Socket } from 'node:net'

/** Connections that are opened before they are needed, and kept fresh until they are taken. */
export interface WarmConnections {
  /** One that is open; undefined if none is. */
  take(): Socket | undefined
  /** Closes all, and opens no more. */
  close(): void
}

/** When an idle connection is replaced: load balancers and NATs drop idle ones after a few minutes, some without a word. */
const FRESH_MS = 60_000

/** How long connections are kept: after that a report opens its own, and the server has been asked often enough. */
const KEPT_MS = 10 * 60_000

/** Starts one connection, and calls back when it can be used or has failed. */
export type Open = (callback: (error: Error | null, socket: Socket | null) => void) => void

/**
 * Opens connections and replaces each that is no longer fresh. One that the server closes, or that cannot be opened, is
 * replaced with the next ones. Nothing here keeps the process running.
 * @param count how many
 */
export function keepWarm(open: Open, count: number): WarmConnections {
  const idle = new Set<Socket>()
  let isClosed = false
  const openAll = (): void => {
    for (let number = 0; number < count; number++)
      open((error, socket) => {
        if (error !== null || socket === null) return
        if (isClosed) return void socket.destroy()
        idle.add(socket)
        // Read, so that it closes when the server closes it. Anything that a server sends unasked is the reason, such as a
        // 408.
        socket
          .unref()
          .once('data', close)
          .once('close', () => idle.delete(socket))
      })
  }
  const refresh = (): void => {
    closeAll(idle)
    openAll()
  }
  const refreshing = setInterval(refresh, FRESH_MS).unref()
  const stop = (): void => {
    isClosed = true
    clearInterval(refreshing)
    clearTimeout(ending)
    closeAll(idle)
  }
  const ending = setTimeout(stop, KEPT_MS).unref()
  openAll()
  return {
    take: () => {
      const [socket] = idle
      if (socket === undefined) return undefined
      idle.delete(socket)
      return socket.off('data', close).pause().ref()
    },
    close: stop,
  }
}

function close(this: Socket): void {
  this.destroy()
}

function closeAll(sockets: Set<Socket>): void {
  for (const socket of sockets) socket.destroy()
  sockets.clear() // their `close` comes later
}
