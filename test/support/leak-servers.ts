import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LOCALHOST_TLS } from '../../tools/simulator/localhost-tls.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import type { ServerName } from './leak-failures.ts'
import { MARKERS } from './markers.ts'
import { startProxy } from './proxy.ts'

type Respond = (response: ServerResponse, said: string) => void

const echo =
  (status: number): Respond =>
  (response, said) =>
    void response.writeHead(status, { 'content-type': 'text/plain', 'retry-after': '0' }).end(said)

/** A server on a free port that says everything that it was told: address, headers and body. */
async function startEcho(respond: Respond): Promise<Server> {
  const server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      respond(response, `${body} ${request.url} ${JSON.stringify(request.headers)}`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** Starts every server of the campaign against leaks. */
export async function startLeakServers(): Promise<{
  ports: Record<ServerName, number>
  close: () => Promise<void>
}> {
  const account = {
    tokens: [{ token: MARKERS.restToken, kind: 'user' as const }],
    services: [{ id: 'PSHOP', name: 'Shop', integrations: [{ id: 'PINT', key: MARKERS.routingKey }] }],
    incidents: [
      { id: 'QOPEN', serviceId: 'PSHOP', title: 'Disk is full', createdAt: '2026-03-01T12:00:00Z' },
    ],
  }
  const accepting = await startSimulator({ rest: account })
  const tls = await startSimulator({ tls: LOCALHOST_TLS })
  const proxies = {
    proxy407: await startProxy({ refuseWith: 407 }),
    proxy503: await startProxy({ refuseWith: 503 }),
  }
  const echoes = {
    echo400: await startEcho(echo(400)),
    echo401: await startEcho(echo(401)),
    echo503: await startEcho(echo(503)),
    redirect: await startEcho((response, said) =>
      response.writeHead(302, { location: `/elsewhere?${encodeURIComponent(said)}` }).end(said),
    ),
    silent: await startEcho(() => undefined),
  }
  const portOf = (server: Server): number => (server.address() as AddressInfo).port
  return {
    ports: {
      accepting: accepting.port,
      tls: tls.port,
      proxy407: proxies.proxy407.port,
      proxy503: proxies.proxy503.port,
      echo400: portOf(echoes.echo400),
      echo401: portOf(echoes.echo401),
      echo503: portOf(echoes.echo503),
      redirect: portOf(echoes.redirect),
      silent: portOf(echoes.silent),
    },
    close: async () => {
      for (const server of Object.values(echoes)) {
        server.closeAllConnections()
        server.close()
      }
      await Promise.all([accepting, tls, ...Object.values(proxies)].map((server) => server.close()))
    },
  }
}
