import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, beforeEach, test } from 'node:test'
import { startSimulator } from '../../simulator/simulator.ts'
import { KEY } from '../../support/program.ts'
import { alertBody, post, startRelay } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => simulator.reset())

const ENV = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url, PAGERDUTY_TIMEOUT: '5s' }
/** Events that may be on their way at a time without a spool. */
const IN_FLIGHT = 256
const MORE = 44
/** Nearly as large as a body may be. */
const LARGE = alertBody({ client: 'x'.repeat(500_000) })
const HANG = { kind: 'hang', after: 'request' } as const

test('where PagerDuty hangs, so many wait, the next are turned away at once, and all is well after it', async (t) => {
  const relay = await startRelay(ENV)
  t.after(() => relay.stop('SIGKILL'))
  simulator.behave({ behaviour: HANG })
  const answers = await Promise.all(
    Array.from({ length: IN_FLIGHT + MORE }, () => post(`${relay.url}/v2/enqueue`, alertBody())),
  )
  const turnedAway = answers.filter(({ status }) => status === 503)
  assert.equal(turnedAway.length, MORE)
  assert.equal(answers.filter(({ status }) => status === 504).length, IN_FLIGHT)
  assert.ok(turnedAway.every(({ headers }) => Number(headers.get('retry-after')) >= 1))
  simulator.reset()
  assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody())).status, 202)
})

const status = (pid: number | undefined): string => readFileSync(`/proc/${pid}/status`, 'utf8')
const peakMiB = (pid: number | undefined): number =>
  Number(/^VmHWM:\s+(\d+) kB/m.exec(status(pid))?.[1]) / 1024

/** What a thousand callers send at once, 500 MB, is far more than the relay may hold. */
const CALLERS = 1000
const MOST_MIB = 400

test(
  'memory has a bound, whatever comes in while PagerDuty hangs',
  { skip: skipWithout('linux') },
  async (t) => {
    const relay = await startRelay({ ...ENV, PAGERDUTY_TIMEOUT: '2s' })
    t.after(() => relay.stop('SIGKILL'))
    simulator.behave({ behaviour: HANG })
    const callers = Array.from({ length: CALLERS }, () =>
      post(`${relay.url}/v2/enqueue`, LARGE).then(
        ({ status: code }) => code,
        () => 0, // closed, being one connection too many
      ),
    )
    const codes = new Set(await Promise.all(callers))
    assert.ok(codes.has(504) && codes.has(503))
    assert.ok(
      [...codes].every((code) => [0, 503, 504].includes(code)),
      [...codes].join(),
    )
    const peak = peakMiB(relay.program.child.pid)
    assert.ok(peak < MOST_MIB, `${peak} MiB`)
  },
)
