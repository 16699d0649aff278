import { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import type { Connect } from './connections.ts'

const ANSWER = ['HTTP/1.1 202 OK', 'content-type: application/json', 'content-length: 2', '', '{}'].join(
  '\r\n',
)

/** Connects to a server in memory that accepts one event, so that the code of a request runs without a network. */
export const connectInMemory: Connect = (_request, callback) => {
  let isAnswered = false
  const socket = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => {
      if (!isAnswered) socket.push(ANSWER)
      isAnswered = true
      done()
    },
  })
  queueMicrotask(() => callback(null, socket as Socket))
}
