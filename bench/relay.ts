import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { median } from './measure.ts'

const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
const PASSTHROUGH = fileURLToPath(new URL('passthrough.ts', import.meta.url))
const CONNECTIONS = 64
/** Enough keys that none reaches its rate limit. */
const KEYS = Array.from({ length: 20_000 }, (_, index) => `bench${String(index).padStart(27, '0')}`)

/** What a relay does under load. */
export interface RelayCost {
  readonly name: string
  /** Events that it answered with 202, a second, at 64 connections. */
  readonly perSecond: number
  /** 99 of 100 answers came within this time. */
  readonly p99Ms: number
  /** Resident set before any load, and the largest ever. */
  readonly idleMb: number
  readonly peakMb: number
}

interface Subject {
  readonly name: string
  readonly child: ChildProcess
  readonly url: string
  readonly idleMb: number
  /** Whether events bring keys of their own, or leave it to the relay's. */
  readonly hasKeys: boolean
}

/** Loads a bare passthrough and the relay in turns. The first is the passthrough. */
export async function measureRelays(
  upstreamUrl: string,
  rounds: number,
  seconds: number,
): Promise<RelayCost[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-relay-'))
  const subjects = [
    await start('Fastify + undici, passthrough', [PASSTHROUGH, upstreamUrl], {}),
    await start('pagerduty-alert serve', [BIN, 'serve'], relayEnv(upstreamUrl)),
    // Nothing listens upstream, and one key is tried one event at a time: what is left is acceptance.
    await start(
      'serve with a spool, accepting',
      [BIN, 'serve'],
      {
        ...relayEnv('http://127.0.0.1:9'),
        ...spool(folder, 'accepting'),
      },
      false,
    ),
    await start('serve with a spool, accepting and delivering', [BIN, 'serve'], {
      ...relayEnv(upstreamUrl),
      ...spool(folder, 'delivering'),
    }),
  ]
  for (const { child } of subjects) child.kill('SIGSTOP')
  const loads = subjects.map((): Load[] => [])
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const [index, subject] of subjects.entries()) {
        subject.child.kill('SIGCONT')
        const result = await load(subject, seconds)
        subject.child.kill('SIGSTOP') // what it still has to deliver must not disturb the next
        if (round > 0) loads[index]?.push(result)
      }
    }
    return subjects.map(({ name, child, idleMb }, index) => ({
      name,
      perSecond: median((loads[index] ?? []).map(({ perSecond }) => perSecond)),
      p99Ms: median((loads[index] ?? []).map(({ p99Ms }) => p99Ms)),
      idleMb,
      peakMb: memoryMb(child, 'VmHWM'),
    }))
  } finally {
    const ended = subjects.map(({ child }) => once(child, 'exit'))
    for (const { child } of subjects) child.kill('SIGKILL')
    await Promise.all(ended)
    rmSync(folder, { recursive: true, force: true })
  }
}

function relayEnv(upstreamUrl: string): Record<string, string> {
  return {
    PAGERDUTY_EVENTS_URL: upstreamUrl,
    PAGERDUTY_TOKEN: 'b'.repeat(32),
    PAGERDUTY_RELAY_PORT: '0',
    LOG_LEVEL: 'error',
  }
}

function spool(folder: string, name: string): Record<string, string> {
  return { PAGERDUTY_SPOOL: join(folder, name), PAGERDUTY_SPOOL_LIMIT: '10000000' }
}

async function start(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  hasKeys = true,
): Promise<Subject> {
  const child = spawn(process.execPath, args, { env: { ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { name, child, url: line.toString('utf8').trim(), hasKeys, idleMb: memoryMb(child, 'VmRSS') }
}

/** A figure of proc(5) `status`, which is in kB. */
function memoryMb({ pid }: ChildProcess, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024
}

interface Load {
  readonly perSecond: number
  readonly p99Ms: number
}

/** Posts events of ever new alerts for some seconds over all connections. */
async function load({ url, hasKeys }: Subject, seconds: number): Promise<Load> {
  const pool = new Pool(url, { connections: CONNECTIONS })
  const startedAtMs = performance.now()
  const timesMs: number[] = []
  let sent = Math.floor(Math.random() * KEYS.length)
  const post = async (): Promise<void> => {
    while (performance.now() - startedAtMs < seconds * 1000) {
      const beganAtMs = performance.now()
      const { statusCode, body } = await pool.request({
        path: '/v2/enqueue',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: eventText(sent++, hasKeys),
      })
      await body.dump()
      if (statusCode !== 202) throw new Error(`answered with ${statusCode}`)
      timesMs.push(performance.now() - beganAtMs)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, post))
  const perSecond = timesMs.length / ((performance.now() - startedAtMs) / 1000)
  await pool.destroy()
  const sorted = timesMs.toSorted((a, b) => a - b)
  return { perSecond, p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN }
}

function eventText(number: number, hasKey: boolean): string {
  return JSON.stringify({
    ...(hasKey && { routing_key: KEYS[number % KEYS.length] }),
    event_action: 'trigger',
    dedup_key: `bench/${process.pid}/${number}/${Math.random()}`,
    payload: {
      summary: 'A deployment failed',
      source: 'bench',
      severity: 'error',
      custom_details: { number },
    },
  })
}
