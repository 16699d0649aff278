// A bare relay, nothing checked and nothing stored: Fastify, and undici where there is somebody to pass events on to.
// Prints its address. usage: relay.mjs [UPSTREAM_URL]
import { fastify } from 'fastify'

const [origin] = process.argv.slice(2)
const app = fastify()
if (origin === undefined) {
  app.post('/v2/enqueue', async (_incoming, reply) => reply.code(202).send({ status: 'success' }))
} else {
  const { Agent } = await import('undici')
  const agent = new Agent()
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
}
await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`http://127.0.0.1:${app.server.address().port}\n`)
