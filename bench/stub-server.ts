import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/*
 * A PagerDuty that accepts everything at once, in a process of its own. Prints `{"http":PORT,"https":PORT}`.
 * usage: stub-server.ts KEY_FILE CERTIFICATE_FILE
 */
const [keyFile = '', certificateFile = ''] = process.argv.slice(2)
const answer = JSON.stringify({ status: 'success', message: 'Event processed', dedup_key: 'bench' })
const listener: RequestListener = (request, response) => {
  request.resume().once('end', () => {
    response.writeHead(202, { 'content-type': 'application/json' }).end(answer)
  })
}
const http = createHttpServer(listener)
const https = createHttpsServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) }, listener)
for (const server of [http, https]) {
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
}
const port = (server: { address(): unknown }): number => (server.address() as AddressInfo).port
process.stdout.write(`${JSON.stringify({ http: port(http), https: port(https) })}\n`)
