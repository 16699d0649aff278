import { createServer, request, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { listen } from './listen.ts'

/** A forward proxy: absolute URLs for http, CONNECT for https. */
export interface Proxy {
  readonly port: number
  /** What it was asked: `POST http://…` or `CONNECT host:port`, with the credentials that came along. */
  readonly seen: readonly { readonly request: string; readonly authorization: string | undefined }[]
  readonly close: () => Promise<void>
}

/**
 * A host that only a proxy of ours knows, as all others in `.example`: its loopback. A program does not go through a proxy to
 * its own loopback. The certificate `other-host` is for this name.
 */
export const PROXIED_HOST = 'elsewhere.example'

export interface ProxyOptions {
  /** Answers everything with this status instead of passing it on. */
  readonly refuseWith?: number
  /** How many of the first ones are answered so. Default: all. */
  readonly times?: number
  /** Sent before the answer to a CONNECT. */
  readonly interim?: string
  /** Answers the first CONNECT with this head instead. */
  readonly firstHead?: string
}

/** Starts a proxy on a free port of 127.0.0.1. A refusal repeats the credentials, as bad proxies do. */
export async function startProxy({
  refuseWith,
  times = Infinity,
  interim = '',
  firstHead,
}: ProxyOptions = {}): Promise<Proxy> {
  const seen: { request: string; authorization: string | undefined }[] = []
  const see = ({ method, url, headers }: IncomingMessage): string => {
    const authorization = headers['proxy-authorization']
    seen.push({ request: `${method} ${url}`, authorization })
    return `not for ${authorization}`
  }
  const isRefused = (): boolean => refuseWith !== undefined && seen.length <= times
  const server = createServer((incoming, outgoing) => {
    const said = see(incoming)
    if (isRefused()) {
      outgoing.writeHead(refuseWith ?? 500, { 'proxy-authenticate': 'Basic' }).end(said)
      return
    }
    const { 'proxy-authorization': _, ...headers } = incoming.headers
    const onward = request(localized(incoming.url ?? ''), { method: incoming.method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.writeHead(502).end())
    incoming.pipe(onward)
  })
  server.on('connect', (incoming: IncomingMessage, socket: Socket) => {
    const said = see(incoming)
    socket.on('error', () => undefined)
    if (isRefused()) {
      socket.end(`HTTP/1.1 ${refuseWith} No\r\n\r\n${said}`)
      return
    }
    if (firstHead !== undefined && seen.length === 1) {
      socket.end(firstHead)
      return
    }
    const [host = '', port = ''] = (incoming.url ?? '').split(/:(?=\d+$)/)
    const onward = connect(Number(port), localized(host), () => {
      socket.write(interim)
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    onward.on('error', () => undefined)
    onward.on('close', () => socket.destroy())
    socket.on('close', () => onward.destroy())
  })
  return { ...(await listen(server)), seen }
}

function localized(target: string): string {
  return target.replace(/[\w-]+\.example\b/, '127.0.0.1')
}
