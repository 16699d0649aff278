import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test, type TestContext } from 'node:test'
import { createSecret } from '../../src/core/secret.ts'
import { startWorker } from '../../src/spool/worker/worker.ts'
import { createTransport } from '../../src/delivery/transport.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { until } from '../support/until.ts'
import { quickClock } from '../support/worker.ts'
import { formatCount, recordFigure } from '../support/figures.ts'
import { KEY } from '../support/program.ts'
import { alertItem, openTestSpool } from '../support/spool.ts'

const SLOW_PROXY = fileURLToPath(new URL('../../bench/slow-proxy.ts', import.meta.url))
const ROUND_TRIP_MS = 50
const EVENTS = 3000
/** One after the other there would be 20 a second; the figure is recorded, and this holds on a busy machine, too. */
const LEAST_PER_SECOND = 40
const quiet = (): undefined => undefined

test('the events of one key go side by side, so that a network of 50 ms does not hold them up', async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const baseUrl = `http://127.0.0.1:${await startDelay(t, simulator.port)}`
  const { spool } = await openTestSpool(t, { limit: EVENTS })
  const items = Array.from({ length: EVENTS }, (_, number) => alertItem('trigger', `alert-${number}`))
  assert.equal((await spool.add(items)).kind, 'added')
  const transport = createTransport({ proxy: {}, baseUrl })
  t.after(() => transport.close())
  const startedAtMs = performance.now()
  const worker = startWorker({
    spool,
    transport,
    clock: quickClock(),
    resolve: () => ({ baseUrl, routingKey: createSecret(KEY) }),
    userAgent: 'test',
    timeoutMs: 10_000,
    maxAgeMs: 24 * 3_600_000,
    ratePerMinute: Number.POSITIVE_INFINITY,
    secrets: [],
    events: { onDelivered: quiet, onRetry: quiet, onDead: quiet, onLock: quiet, onStoreProblem: quiet },
  })
  t.after(() => worker.stop(0))
  await until(() => spool.counts().pending === 0, 'everything is delivered', 300_000)
  const perSecond = Math.round((EVENTS * 1000) / (performance.now() - startedAtMs))
  t.diagnostic(`${perSecond} events a second`)
  assert.equal(simulator.alerts.length, EVENTS)
  assert.ok(perSecond > LEAST_PER_SECOND, `${perSecond} events a second`)
  recordFigure('throughput of one key', formatCount(perSecond))
})

/** Starts a path of such a length to a port. @returns its own */
async function startDelay(t: TestContext, port: number): Promise<number> {
  const child = spawn(process.execPath, [SLOW_PROXY, String(port), String(ROUND_TRIP_MS)])
  t.after(() => child.kill())
  const [text] = (await once(child.stdout, 'data')) as [Buffer]
  return Number(text.toString())
}
