import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProgress } from '../../../src/commands/observe.ts'
import { poll, type Polling } from '../../../src/commands/poll.ts'
import { Failure } from '../../../src/core/failure.ts'

const MINUTE_MS = 60_000

/** Polls on a clock that only a pause moves. */
async function pollWith(
  options: Partial<Polling<number>>,
): Promise<{ result: number | Failure; pauses: number[] }> {
  let nowMs = 0
  const pauses: number[] = []
  const waitMs = options.waitMs ?? 15 * MINUTE_MS
  const result = await poll({
    lookOnce: () => Promise.resolve(0),
    isEnough: () => false,
    endAtMs: waitMs,
    onWait: () => undefined,
    signal: new AbortController().signal,
    nowMs: () => nowMs,
    pause: (durationMs) => {
      pauses.push(durationMs)
      nowMs += durationMs
      return Promise.resolve()
    },
    ...options,
    waitMs,
  })
  return { result, pauses }
}

for (const [waitMs, pollMs] of [
  [15 * MINUTE_MS, 15_000],
  [MINUTE_MS, 6000],
  [1000, 500],
] as const) {
  test(`a wait of ${waitMs} ms looks every ${pollMs} ms, and once more when it is over`, async () => {
    let looks = 0
    const lookOnce = (): Promise<number> => Promise.resolve((looks += 1))
    const { result, pauses } = await pollWith({ waitMs, lookOnce })
    assert.deepEqual(new Set(pauses), new Set([pollMs]))
    assert.deepEqual([result, looks], [waitMs / pollMs + 1, waitMs / pollMs + 1])
  })
}

test('a look that is enough ends the wait', async () => {
  assert.deepEqual(await pollWith({ isEnough: () => true }), { result: 0, pauses: [] })
})

test('a failure that may pass is returned only if the last look meets it', async () => {
  const failure = new Failure('undelivered', 'away')
  const looks = [Promise.reject(failure), Promise.resolve(1)]
  const lookOnce = (): Promise<number> => looks.shift() ?? Promise.reject(failure)
  assert.equal((await pollWith({ lookOnce, waitMs: 500 })).result, 1)
  assert.equal((await pollWith({ lookOnce, waitMs: 500 })).result, failure)
})

test('any other failure ends the wait at once', async () => {
  const lookOnce = (): Promise<number> => Promise.reject(new Failure('config', 'unknown token'))
  await assert.rejects(pollWith({ lookOnce }), /unknown token/)
})

test('a watch of 15 minutes prints a line every 5 minutes, and one for each look that failed', () => {
  const lines: string[] = []
  const log = { info: (line: string) => void lines.push(line), warn: (line: string) => void lines.push(line) }
  const onWait = createProgress(15 * MINUTE_MS, log)
  const finding = { service: { id: 'PSHOP', integrations: [] }, incidents: [] } as unknown as Parameters<
    typeof onWait
  >[0]
  for (let ms = 0; ms < 15 * MINUTE_MS; ms += 15_000) onWait(finding, 15 * MINUTE_MS - ms)
  assert.deepEqual(lines, [
    'watch: no new incident on PSHOP so far, 600 s left',
    'watch: no new incident on PSHOP so far, 300 s left',
  ])
  onWait(new Failure('undelivered', 'cannot list'), 1000)
  assert.equal(lines.at(-1), 'cannot list; asking again, 1 s left')
})
