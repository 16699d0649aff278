import { buildTrigger, type EventInput } from '../src/core/build-event.ts'
import { fitEvent } from '../src/core/fit.ts'
import { jsonBytes } from '../src/core/json.ts'
import type { Point } from './statistics.ts'

const RUNS = 9

/**
 * What it costs to build an event and bring it within the limits, in milliseconds by the bytes of its details: the fastest
 * of nine runs, since a disturbance only adds time.
 */
export function measureEventBuilding(sizes: readonly number[]): Point[] {
  return sizes.map((size) => ({ size, cost: timeBuilding(size) }))
}

function timeBuilding(size: number): number {
  const input = inputWith(size)
  const times = Array.from({ length: RUNS }, () => {
    const startedAtMs = performance.now()
    const { event } = fitEvent(buildTrigger(input, { outcome: 'failure' }, 'deploy/acme/shop/production'))
    const elapsedMs = performance.now() - startedAtMs
    if (event.body.payload === undefined) throw new Error('the event lost its payload')
    return elapsedMs
  })
  return Math.min(...times)
}

/** A build with details of about `size` bytes: a hundred lists of short texts. */
function inputWith(size: number): EventInput {
  const item = 'a line of some length, with "quotes" and an é'
  const count = Math.max(1, Math.round(size / 100 / (jsonBytes(item) + 1)))
  const names = Array.from({ length: 100 }, (_, index) => `detail_${index}`)
  const details = Object.fromEntries(
    names.map((name) => [name, Array.from({ length: count }, () => item)] as const),
  )
  return {
    fields: { details },
    build: { ci: 'Codeship', repository: 'acme/shop', branch: 'master', commitMessage: 'Fix', origins: {} },
    identity: { source: { value: 'acme/shop', origin: 'CI_REPO_NAME' } },
    result: { exitCode: 1 },
    nowIso: '2026-03-01T12:00:00.000Z',
  }
}
