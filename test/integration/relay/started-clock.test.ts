import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { CODESHIP_PRO, runProgram } from '../../support/program.ts'
import { post, type RunningRelay } from '../../support/relay.ts'
import { until } from '../../support/until.ts'
import { shareRelays } from '../../support/share-relays.ts'

const HOUR = 3_600_000
const SHIM = fileURLToPath(new URL('../../fixtures/shift-clock.cjs', import.meta.url))
const shifted = (ms: number): Record<string, string> => ({
  NODE_OPTIONS: `--require ${JSON.stringify(SHIM)}`,
  SHIFT_CLOCK_MS: String(ms),
})

const { simulator, startRelay: start, newSpool } = await shareRelays()
const startRelay = (env: Record<string, string>): Promise<RunningRelay> =>
  start({ PAGERDUTY_ENVIRONMENT: 'production', ...env })

async function first({ url }: RunningRelay): Promise<Record<string, unknown> | undefined> {
  const answer = await fetch(`${url}/deployments`)
  return ((await answer.json()) as { deployments: Record<string, unknown>[] }).deployments[0]
}

for (const hours of [-1, 1]) {
  const spool = (): Record<string, string> => ({ PAGERDUTY_SPOOL: newSpool() })

  test(`a caller whose clock is ${hours} h off moves no deadline, and its outcome ends it`, async () => {
    const relay = await startRelay(spool())
    const env = {
      ...CODESHIP_PRO,
      ...shifted(hours * HOUR),
      PAGERDUTY_ENVIRONMENT: 'production',
      PAGERDUTY_RELAY_URL: relay.url,
    }
    assert.equal((await runProgram(['started', '--within', '1m'], { env })).code, 0)
    const leftMs = Date.parse(String((await first(relay))?.['due_at'])) - Date.now()
    assert.ok(leftMs > 0 && leftMs <= 60_000, String(leftMs))
    assert.equal((await runProgram(['success'], { env })).code, 0)
    assert.deepEqual(
      [(await first(relay))?.['outcome'], (await first(relay))?.['due_at']],
      ['success', undefined],
    )
    assert.equal((await runProgram(['started', '--within', '300ms'], { env })).code, 0)
    await until(() => simulator.alerts.length > 0, 'the alert')
    assert.match(simulator.alerts[0]?.title ?? '', /began \d+ seconds? ago /)
  })

  test(`a relay that is started again with a clock ${hours} h off keeps its deadlines`, async () => {
    const env = spool()
    const before = await startRelay(env)
    await post(`${before.url}/started`, { within: '1h' })
    await post(`${before.url}/started`, { within: '6s', environment: 'staging' })
    await before.stop('SIGKILL')
    const again = await startRelay({ ...env, ...shifted(hours * HOUR) })
    await until(() => simulator.alerts.length > 0, 'the alert')
    await sleep(1500) // a second one would come at once
    assert.deepEqual(
      simulator.alerts.map(({ dedupKey }) => dedupKey),
      ['deploy/acme/shop/staging'],
    )
    assert.match(simulator.alerts[0]?.title ?? '', /began \d+ seconds ago /)
    assert.match(await (await fetch(`${again.url}/metrics`)).text(), /deadlines\{state="open"\} 1$/m)
  })
}
