import { readFileSync } from 'node:fs'
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { messageLength } from './http-message.ts'

/*
 * A PagerDuty that accepts everything at once, in a separate process. It speaks HTTP on bare sockets, so that it uses less
 * of the machine than what is measured. Prints `{"http":PORT,"https":PORT}`.
 * usage: stub-server.ts KEY_FILE CERTIFICATE_FILE ADDRESS
 */
const [keyFile = '', certificateFile = '', address = ''] = process.argv.slice(2)

/** PagerDuty's answer to an event, which repeats its dedup key. */
function answerTo(request: string): string {
  const key = /"dedup_key":"([^"\\]*)"/.exec(request)?.[1] ?? 'none'
  const body = `{"status":"success","message":"Event processed","dedup_key":"${key}"}`
  return `HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

function serve(socket: Socket): void {
  let text = ''
  socket.setEncoding('latin1')
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: string) => {
    text += chunk
    for (let length = messageLength(text); length !== undefined && text.length >= length;) {
      socket.write(answerTo(text.slice(0, length)), 'latin1')
      text = text.slice(length)
      length = messageLength(text)
    }
  })
}

const http = createTcpServer(serve)
const https = createTlsServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) }, serve)
for (const server of [http, https]) await new Promise<void>((resolve) => server.listen(0, address, resolve))
const port = (server: Server): number => (server.address() as AddressInfo).port
process.stdout.write(`${JSON.stringify({ http: port(http), https: port(https) })}\n`)
