import { environment } from './build.ts'
import { ratios, type Measured } from './fact.ts'
import { costOf, measure, type Cost, type Variant } from './measure.ts'
import { BIN, script, startServer } from './processes.ts'
import { load, NOWHERE, spoolFolder, startRelay, type Relay } from './relays.ts'
import type { Bench } from './section.ts'

/** How long a `run` looks for incidents after its command. */
const WATCH_MS = 500
const NAMES = {
  plain: 'run of a success',
  watched: 'run --watch of a success',
  failed: 'run of a failure',
  failedWatched: 'run --watch of a failure',
} as const
const ROUNDS = 7
const WARM_ROUNDS = 2

/** What `run --watch` and `serve --watch` cost beside the same without it. */
export async function measureWatching(bench: Bench): Promise<Measured> {
  const { isSmoke, signal } = bench
  const { line } = await startServer({ args: [script('../tools/simulator/main.ts')], signal })
  const url = /http:\S+/.exec(line)?.[0] ?? ''
  const env = {
    PAGERDUTY_EVENTS_URL: url,
    PAGERDUTY_API_URL: url,
    PAGERDUTY_API_TOKEN: 'u+simulatorToken1234',
    PAGERDUTY_SERVICE_ID: 'PSHOP',
  }
  const costs = measure(variantsFor(environment(env)), { rounds: isSmoke ? 1 : ROUNDS, budgetMs: 40_000 })
  const timesOf = (name: string): readonly number[] => costOf(costs, name)?.times ?? []
  const [plain, watched] = [timesOf(NAMES.plain), timesOf(NAMES.watched)]
  const { alone, watching } = await measureRelays(bench, env)
  return {
    facts: [
      {
        name: '`run --watch 500ms` − `run` − 500 ms, of a success',
        unit: 'ms',
        values: watched.map((ms, round) => ms - (plain[round] ?? Number.NaN) - WATCH_MS),
        target: { limit: 50, floor: 'the last look, and the code that only a watch loads' },
      },
      {
        name: '`run --watch` ÷ `run`, of a failure, which is not watched',
        unit: '',
        values: ratios(timesOf(NAMES.failedWatched), timesOf(NAMES.failed)),
        target: { limit: 1.2, floor: 'the first look, which waits for nothing' },
      },
      {
        name: '`run --watch` ÷ `run`, peak memory',
        unit: '',
        values: [peakOf(costs, NAMES.watched) / peakOf(costs, NAMES.plain)],
        target: { limit: 1.15, floor: 'the REST API’s client' },
      },
      {
        name: 'Starts and outcomes accepted a second by `serve --watch` ÷ `serve`',
        unit: '',
        values: ratios(watching, alone),
        target: { limit: 0.95, isLeast: true, floor: '1: it looks once a second' },
      },
    ],
  }
}

function variantsFor(env: Readonly<Record<string, string>>): Variant[] {
  const run = (name: string, status: number, ...options: string[]): Variant => ({
    name,
    argv: [
      process.execPath,
      BIN,
      'run',
      '--quiet',
      ...options,
      '--',
      'sh',
      '-c',
      `sleep 0.2; exit ${status}`,
    ],
    env,
    status,
  })
  return [
    run(NAMES.plain, 0),
    run(NAMES.watched, 0, '--watch', `${WATCH_MS}ms`),
    run(NAMES.failed, 1),
    run(NAMES.failedWatched, 1, '--watch', `${WATCH_MS}ms`),
  ]
}

function peakOf(costs: readonly Cost[], name: string): number {
  return costOf(costs, name)?.peakMb ?? Number.NaN
}

async function measureRelays(
  { folder, signal, isSmoke }: Bench,
  env: Readonly<Record<string, string>>,
): Promise<{ alone: number[]; watching: number[] }> {
  const start = (name: string, more: Readonly<Record<string, string>>): Promise<Relay> =>
    startRelay({ name, upstreamUrl: NOWHERE, spool: spoolFolder(folder, name), signal, env: more })
  const plain = await start('plain', {})
  const { PAGERDUTY_EVENTS_URL: _url, ...rest } = env
  const watcher = await start('watching', { ...rest, PAGERDUTY_RELAY_WATCH: '10s' })
  const rate = async (relay: Relay): Promise<number> => {
    const options = { connections: 64, seconds: isSmoke ? 0.2 : 1.5, signal, kind: 'deployments' } as const
    const found = await load(relay, options)
    return found.count / found.seconds
  }
  const rates = { alone: [] as number[], watching: [] as number[] }
  for (let round = 0; round < (isSmoke ? 1 : WARM_ROUNDS + ROUNDS); round++) {
    const [alone, watching] = [await rate(plain), await rate(watcher)]
    if (round < WARM_ROUNDS && !isSmoke) continue
    rates.alone.push(alone)
    rates.watching.push(watching)
  }
  return rates
}
