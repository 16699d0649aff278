import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Ports that no system takes for a connection or for port 0, so that nobody else has one of them a moment later. */
const PORTS = { from: 10_000, to: 30_000 } as const

/** A port that nothing listens on, for programs that cannot take a free one, such as PostgreSQL. */
export async function freePort(): Promise<number> {
  const port = randomInt(PORTS.from, PORTS.to)
  const server = createServer()
  const isFree = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
  if (!isFree) return await freePort()
  await new Promise((resolve) => server.close(resolve))
  return port
}
