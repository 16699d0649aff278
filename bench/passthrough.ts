import type { AddressInfo } from 'node:net'
import { fastify } from 'fastify'
import { Agent } from 'undici'

/*
 * A bare relay: Fastify and undici, nothing checked and nothing stored. Prints its address.
 * usage: passthrough.ts UPSTREAM_URL
 */
const [origin = ''] = process.argv.slice(2)
const agent = new Agent()
const app = fastify()
app.post('/v2/enqueue', async (incoming, reply) => {
  const { statusCode, body } = await agent.request({
    origin,
    path: '/v2/enqueue',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(incoming.body),
  })
  return reply
    .code(statusCode)
    .type('application/json')
    .send(await body.text())
})
await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}\n`)
