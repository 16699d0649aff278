import type { Deployment } from './deployment.ts'

/** A figure, and what exactly it counts. */
export interface Figure {
  readonly name: 'frequency' | 'duration' | 'failure_share' | 'recovery_time'
  /** Absent if there is nothing to count it from. */
  readonly value?: number
  readonly unit: 'per day' | 'seconds' | 'ratio'
  /** How many deployments or pairs of them it was counted from. */
  readonly count: number
  readonly definition: string
}

/** The part of a deployment that is counted. */
export type EndedDeployment = Pick<Deployment, 'identity' | 'state' | 'startedAtMs' | 'endedAtMs'>

const DAY_MS = 86_400_000

/**
 * Four figures about deployments that ended within a span of time. They are about deployments alone: incidents with other
 * causes are not known here, so they are not DORA's change failure rate or time to restore service.
 * @param deployments in any order, of those that ended at the same time the earlier ones first; those that still run or were
 *   cancelled are ignored
 * @param spanMs over how long they were collected
 */
export function deploymentFigures(deployments: readonly EndedDeployment[], spanMs: number): Figure[] {
  const ended = deployments
    .filter(({ state, endedAtMs }) => endedAtMs !== undefined && (state === 'success' || state === 'failure'))
    .toSorted((a, b) => (a.endedAtMs ?? 0) - (b.endedAtMs ?? 0))
  const succeeded = ended.filter(({ state }) => state === 'success')
  const durations = succeeded.flatMap(({ startedAtMs, endedAtMs }) =>
    startedAtMs === undefined || endedAtMs === undefined ? [] : [Math.max(0, endedAtMs - startedAtMs) / 1000],
  )
  const failures = ended.length - succeeded.length
  const recoveries = recoverySeconds(ended)
  return [
    {
      name: 'frequency',
      ...valueOf(spanMs > 0 ? succeeded.length / (spanMs / DAY_MS) : undefined),
      unit: 'per day',
      count: succeeded.length,
      definition: 'successful deployments, divided by the days of the span',
    },
    {
      name: 'duration',
      ...valueOf(median(durations)),
      unit: 'seconds',
      count: durations.length,
      definition: 'median time from start to end of the successful deployments whose start is known',
    },
    {
      name: 'failure_share',
      ...valueOf(ended.length === 0 ? undefined : failures / ended.length),
      unit: 'ratio',
      count: ended.length,
      definition: 'failed deployments, divided by failed and successful ones',
    },
    {
      name: 'recovery_time',
      ...valueOf(median(recoveries)),
      unit: 'seconds',
      count: recoveries.length,
      definition:
        'median time from the first failure of a repository and environment to its next success; failures that no success followed are left out',
    },
  ]
}

/** From the first failure of each identity to its next success, in seconds. */
function recoverySeconds(ended: readonly EndedDeployment[]): number[] {
  const failedAtMs = new Map<string, number>()
  const recoveries: number[] = []
  for (const { identity, state, endedAtMs = 0 } of ended) {
    const since = failedAtMs.get(identity)
    if (state === 'failure') {
      if (since === undefined) failedAtMs.set(identity, endedAtMs)
    } else if (since !== undefined) {
      recoveries.push((endedAtMs - since) / 1000)
      failedAtMs.delete(identity)
    }
  }
  return recoveries
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return low === undefined || high === undefined ? undefined : (low + high) / 2
}

function valueOf(value: number | undefined): { value?: number } {
  return value === undefined ? {} : { value }
}
