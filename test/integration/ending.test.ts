import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { recordFigure } from '../support/figures.ts'
import { CODESHIP_PRO, KEY, startProgram, type Program, type Run } from '../support/program.ts'

const RUNS = process.env['RECORD_FIGURES'] === '1' ? 15 : 5
/** Between the last answer and the end: what a busy machine needs, and less than a stray timer or socket would take. */
const ENDING_MS = 2000

test('a run ends as soon as it has its last answer, though the server would keep the connection', async () => {
  const endings: number[] = []
  let answeredAtMs = 0
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume().on('end', () => response.writeHead(202).end('{}'))
    response.on('finish', () => (answeredAtMs = performance.now()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (let count = 0; count < RUNS; count++) {
    const program = startProgram(['success'], {
      env: { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: url },
    })
    program.child.on('exit', () => endings.push(performance.now() - answeredAtMs))
    assert.equal((await program.ended).code, 0)
  }
  server.closeAllConnections()
  server.close()
  const sorted = endings.toSorted((a, b) => a - b)
  recordFigure('ends after its last answer', `${Math.round(sorted[Math.floor(RUNS / 2)] ?? Number.NaN)} ms`)
  // The quickest: a stray timer or socket would hold every run, a busy machine only some.
  assert.ok((sorted[0] ?? Infinity) < ENDING_MS, `${sorted.map(Math.round).join(', ')} ms`)
})

const SIGNALS = [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const

/** Much less than the deadline of a minute, and enough for a busy machine. */
const AT_ONCE_MS = 30_000

/** Interrupts the program once it has got as far as `until`. */
async function interrupt(
  program: Program,
  signal: NodeJS.Signals,
  until: Promise<unknown>,
): Promise<Run & { afterMs: number }> {
  await until
  const sentAtMs = performance.now()
  program.child.kill(signal)
  return { ...(await program.ended), afterMs: performance.now() - sentAtMs }
}

/** Resolves when stderr has said something that matches. */
function said(program: Program, words: RegExp): Promise<void> {
  let text = ''
  return new Promise((resolve) => {
    program.child.stderr.on('data', (chunk: string) => {
      text += chunk
      if (words.test(text)) resolve()
    })
  })
}

for (const [signal, code] of SIGNALS) {
  test(`${signal} while an answer is waited for ends with ${code} at once`, async (t) => {
    const simulator = await startSimulator()
    t.after(() => simulator.close())
    simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
    const env = { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url }
    const program = startProgram(['success', '--json', '--timeout', '60s'], { env })
    const run = await interrupt(program, signal, simulator.waitForRequests(2, 30_000))
    assert.equal(run.code, code)
    assert.ok(run.afterMs < AT_ONCE_MS)
    assert.match(run.stderr, /change event: interrupted[\s\S]*resolve of deploy.*: interrupted/)
    assert.equal((JSON.parse(run.stdout) as { exit_code: number }).exit_code, code)
  })

  test(`${signal} between two attempts ends with ${code} at once`, async (t) => {
    const simulator = await startSimulator()
    t.after(() => simulator.close())
    simulator.behave({ behaviour: { kind: 'answer', status: 503, headers: { 'retry-after': '40' } } })
    const env = { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url }
    const program = startProgram(['failure'], { env })
    const run = await interrupt(program, signal, said(program, /attempt 1 failed/))
    assert.equal(run.code, code)
    assert.ok(run.afterMs < AT_ONCE_MS)
    assert.equal(simulator.requests.length, 1)
  })

  test(`${signal} while stdin is waited for ends with ${code} at once`, async (t) => {
    const simulator = await startSimulator()
    t.after(() => simulator.close())
    const env = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: 'http://plain.example', NODE_OPTIONS: '' }
    const program = startProgram(['send'], { env, isStdinOpen: true })
    // The warning about the address comes when the configuration has been read, just before stdin is.
    const run = await interrupt(program, signal, said(program, /plain http/))
    assert.equal(run.code, code)
    assert.ok(run.afterMs < AT_ONCE_MS)
    assert.deepEqual(simulator.requests, [])
  })

  test(`a second ${signal} ends what the first could not`, async (t) => {
    const simulator = await startSimulator()
    t.after(() => simulator.close())
    simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
    const env = {
      ...CODESHIP_PRO,
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_EVENTS_URL: simulator.url,
      NODE_OPTIONS: `--import=${new URL('../support/stuck-stdout.ts', import.meta.url).href}`,
    }
    const program = startProgram(['failure', '--timeout', '60s'], { env })
    await simulator.waitForRequests(1, 30_000)
    const isInterrupted = said(program, /interrupted/)
    program.child.kill(signal)
    const run = await interrupt(program, signal, isInterrupted)
    assert.equal(run.code, code)
    assert.ok(run.afterMs < AT_ONCE_MS)
  })
}
