import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/*
 * A path with a round trip of DELAY ms, if packets cannot be delayed: forwards TCP to PORT, delays every byte by half of it
 * each way, and a
 * connection's first bytes by one whole round trip more, as long as TCP's own handshake would have taken.
 * Prints its port. usage: slow-proxy.ts PORT DELAY
 */
const [target = 0, roundTripMs = 0] = process.argv.slice(2).map(Number)

const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const upstream = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  forward(client, upstream, performance.now() + roundTripMs)
  forward(upstream, client, 0)
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))

/** @param notBeforeMs when the first byte may be sent, on the scale of `performance.now()` */
function forward(from: Socket, to: Socket, notBeforeMs: number): void {
  const later = (action: () => void): void => {
    const nowMs = performance.now()
    setTimeout(action, Math.max(nowMs, notBeforeMs) + roundTripMs / 2 - nowMs)
  }
  from.on('data', (chunk) => later(() => to.write(chunk)))
  from.on('end', () => later(() => to.end()))
  from.on('error', () => to.destroy())
}
