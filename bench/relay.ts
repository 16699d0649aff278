import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { fastify } from 'fastify'
import { Agent, Pool, request } from 'undici'

/*
 * What the relay costs, as ratios to a bare Fastify + undici passthrough that checks and stores nothing: events per
 * second at 64 connections, the relays in turns so that drift of the machine is shared.
 *
 *   node bench/relay.ts [--rounds N] [--seconds N]
 *
 * The stub that stands for PagerDuty and the passthrough are this file again, in processes of their own.
 */

const CONNECTIONS = 64
/** Enough keys that none reaches its rate limit. */
const KEYS = Array.from({ length: 20_000 }, (_, index) => `bench${String(index).padStart(27, '0')}`)

/** Answers at once, as PagerDuty would. */
function stub(): void {
  const answer = JSON.stringify({ status: 'success', message: 'Event processed', dedup_key: 'bench' })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) }
  const server = createServer((incoming, outgoing) => {
    incoming.resume().on('end', () => outgoing.writeHead(202, headers).end(answer))
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port))
}

async function passthrough(upstream: string): Promise<void> {
  const app = fastify()
  const dispatcher = new Agent()
  app.post('/v2/enqueue', async (incoming, reply) => {
    const { statusCode, body } = await request(`${upstream}/v2/enqueue`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(incoming.body),
      dispatcher,
    })
    return reply
      .code(statusCode)
      .type('application/json')
      .send(await body.text())
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  announce((app.server.address() as AddressInfo).port)
}

function announce(port: number): void {
  process.stdout.write(`http://127.0.0.1:${port}\n`)
}

interface Started {
  readonly child: ChildProcess
  readonly url: string
}

async function start(args: readonly string[], env: Record<string, string> = {}): Promise<Started> {
  const child = spawn(process.execPath, args, { env: { ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await child.stdout.setEncoding('utf8').take(1).toArray()) as string[]
  if (line === undefined) throw new Error(`${args.join(' ')} did not start`)
  return { child, url: line.trim() }
}

/** Processor time that a process has used, in milliseconds (proc(5): fields 14 and 15, in hundredths of a second). */
function cpuMs({ child }: Started): number {
  const [, ...fields] = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')
  const [user, system] = fields.join(') ').split(' ').slice(11, 13)
  return (Number(user) + Number(system)) * 10
}

/** Posts for some seconds over all connections. @returns accepted events per second */
async function load(url: string, seconds: number): Promise<number> {
  const pool = new Pool(url, { connections: CONNECTIONS })
  const endAtMs = performance.now() + seconds * 1000
  const startMs = performance.now()
  let accepted = 0
  let sent = Math.floor(Math.random() * KEYS.length)
  const post = async (): Promise<void> => {
    while (performance.now() < endAtMs) {
      const body = JSON.stringify({
        routing_key: KEYS[sent++ % KEYS.length],
        event_action: 'trigger',
        dedup_key: `bench/${sent}`,
        payload: {
          summary: 'A deployment failed',
          source: 'bench',
          severity: 'error',
          custom_details: { sent },
        },
      })
      const answer = await pool.request({
        path: '/v2/enqueue',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      await answer.body.dump()
      if (answer.statusCode === 202) accepted += 1
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, post))
  const rate = accepted / ((performance.now() - startMs) / 1000)
  await pool.destroy()
  return rate
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

const SELF = fileURLToPath(import.meta.url)
const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))

function relayEnv(upstream: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    PAGERDUTY_EVENTS_URL: upstream,
    PAGERDUTY_TOKEN: 'b'.repeat(32),
    PAGERDUTY_RELAY_PORT: '0',
    LOG_LEVEL: 'warn',
    ...more,
  }
}

async function bench(rounds: number, seconds: number): Promise<void> {
  const upstream = await start([SELF, 'stub'])
  const subjects: [string, Started][] = [
    ['passthrough', await start([SELF, 'passthrough', upstream.url])],
    ['synchronous', await start([BIN, 'serve'], relayEnv(upstream.url))],
    ['synchronous, logging', await start([BIN, 'serve'], relayEnv(upstream.url, { LOG_LEVEL: 'info' }))],
  ]
  const rates = new Map(subjects.map(([name]) => [name, [] as number[]]))
  const costs = new Map(subjects.map(([name]) => [name, [] as number[]]))
  try {
    for (const [, { url }] of subjects) await load(url, 1)
    for (let round = 0; round < rounds; round++) {
      for (const [name, subject] of subjects) {
        const beforeMs = cpuMs(subject)
        const rate = await load(subject.url, seconds)
        rates.get(name)?.push(rate)
        costs.get(name)?.push(((cpuMs(subject) - beforeMs) * 1000) / (rate * seconds))
      }
    }
  } finally {
    for (const { child } of [upstream, ...subjects.map(([, subject]) => subject)]) child.kill()
  }
  const baseRate = median(rates.get('passthrough') ?? [])
  const baseCost = median(costs.get('passthrough') ?? [])
  for (const [name] of subjects) {
    const rate = median(rates.get(name) ?? [])
    const cost = median(costs.get(name) ?? [])
    const columns = [
      name.padEnd(24),
      `${Math.round(rate)} events/s`.padStart(16),
      `${(rate / baseRate).toFixed(2)}`.padStart(6),
      `${Math.round(cost)} µs of processor time an event`.padStart(40),
      `${(baseCost / cost).toFixed(2)}`.padStart(6),
    ]
    process.stdout.write(`${columns.join('')}\n`)
  }
}

const [role, argument = ''] = process.argv.slice(2)
if (role === 'stub') stub()
else if (role === 'passthrough') await passthrough(argument)
else await bench(5, 2)
