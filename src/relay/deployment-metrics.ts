import { Gauge, type Registry } from 'prom-client'
import { deploymentFigures, type Figure } from '../core/deployment-figures.ts'
import type { Deadlines } from '../spool/deadlines.ts'
import type { DeploymentStore } from '../spool/deployment-log.ts'

/** Over how long the figures are counted. */
const SPAN_DAYS = 30
const SPAN_MS = SPAN_DAYS * 86_400_000
/** How old figures may be: computing them reads thousands of rows. */
const FRESH_MS = 30_000

const NAMES: Readonly<Record<Figure['name'], string>> = {
  frequency: 'pagerduty_alert_deployments_per_day',
  duration: 'pagerduty_alert_deployment_duration_seconds',
  failure_share: 'pagerduty_alert_deployment_failure_ratio',
  recovery_time: 'pagerduty_alert_deployment_recovery_seconds',
}

/** Adds the figures of the last 30 days to a registry. A figure without data is left out. */
export function measureDeployments(deployments: DeploymentStore, registry: Registry): void {
  let countedAtMs = -Infinity
  const none = deploymentFigures([], SPAN_MS)
  let figures = Promise.resolve<readonly Figure[]>(none)
  const count = async (): Promise<readonly Figure[]> =>
    deploymentFigures(await deployments.endedSince(Date.now() - SPAN_MS), SPAN_MS)
  const current = (): Promise<readonly Figure[]> => {
    if (performance.now() - countedAtMs < FRESH_MS) return figures
    countedAtMs = performance.now()
    figures = count()
    return figures
  }
  for (const { name, definition } of none) {
    const gauge: Gauge = new Gauge({
      name: NAMES[name],
      help: `Of the last ${SPAN_DAYS} days: ${definition}.`,
      registers: [registry],
      collect: async () => {
        const value = (await current()).find((figure) => figure.name === name)?.value
        if (value === undefined) gauge.remove()
        else gauge.set(value)
      },
    })
  }
}

/** Adds the running deployments that have a deadline to a registry. */
export function measureDeadlines(deadlines: Deadlines, registry: Registry): void {
  const gauge: Gauge = new Gauge({
    name: 'pagerduty_alert_deployment_deadlines',
    help: 'Running deployments that have a deadline: open before it; overdue after it, until the alert can be triggered.',
    labelNames: ['state'],
    registers: [registry],
    collect: () => {
      for (const [state, count] of Object.entries(deadlines.counts())) gauge.set({ state }, count)
    },
  })
}
