import { buildTrigger, type EventInput } from '../src/core/build-event.ts'
import { fitEvent } from '../src/core/fit.ts'
import { jsonBytes } from '../src/core/json.ts'
import type { Growth } from './chart.ts'
import { median } from './measure.ts'

const RUNS = 9

/** What it costs to build an event and bring it within the limits, against the size of its details. */
export function measureEventBuilding(maxBytes: number): Growth {
  const sizes = [1_000, 10_000, 100_000, 1_000_000, 10_000_000].filter((size) => size <= maxBytes)
  return {
    name: 'building and fitting an event',
    unit: 'bytes of details',
    points: sizes.map((size) => ({ size, ms: timeBuilding(size) })),
  }
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
  return median(times)
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
