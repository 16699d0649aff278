import type { EndedDeployment } from '../core/deployment-figures.ts'
import { countFailures } from '../core/failure-streak.ts'
import { COUNTED, SEARCHED } from '../spool/deployment-log.ts'
import { toldOf } from '../spool/deployment-table.ts'
import type { ListedStatus } from '../spool/listing.ts'
import { mergeTold, toStored, type DeploymentRow } from './deployment-records.ts'
import type { EngineListing } from './engine-listing.ts'
import type { Lane } from './lane.ts'
import { storable } from './rows.ts'

type Deployments = Pick<EngineListing, 'deployments' | 'deploymentsEndedSince' | 'noteDeployment'>

/**
 * The fleet's deployments. Reports of them are stored with the events, and merged when somebody asks, by one relay at a time.
 */
export function createDeployments(lane: Lane): Deployments {
  const merge = (): Promise<unknown> => lane.transact((run) => mergeTold(run))
  return {
    deployments: async ({
      beforeId,
      environment,
      repository,
      outcome,
      identity,
      sinceMs,
      text,
      ...query
    }) => {
      await merge()
      const filters = [beforeId, environment, repository, outcome, identity, sinceMs, text].map((value) =>
        typeof value === 'string' ? storable(value) : (value ?? null),
      )
      const statement = 'SELECT * FROM pagerduty_alert.deployments($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)'
      const values = [...filters, SEARCHED, query.isCurrent ?? false, query.limit]
      const rows = await lane.run<ListedRow>(statement, values)
      const entries = rows.flatMap((row) => toListed(row) ?? [])
      const running = entries.flatMap(({ state, identity: name }) => (state === 'started' ? [name] : []))
      if (running.length === 0) return entries
      const deadlines = await lane.run<DeadlineRow>('SELECT * FROM pagerduty_alert.deadlines_of($1)', [
        [...new Set(running)],
      ])
      const leftMs = new Map(deadlines.map((row) => [nameOf(row.identity, row.build), row.left_ms]))
      return entries.map((entry) => ({ ...entry, ...dueOf(entry, leftMs) }))
    },
    deploymentsEndedSince: async (sinceMs) => {
      await merge()
      const rows = await lane.run<EndedRow>('SELECT * FROM pagerduty_alert.ended_since($1)', [sinceMs])
      const oldestFirst = rows.toReversed()
      return oldestFirst.map(({ started_at_ms: startedAtMs, ended_at_ms: endedAtMs, ...row }) => ({
        ...row,
        endedAtMs,
        ...(startedAtMs !== null && { startedAtMs }),
      }))
    },
    noteDeployment: (deployment, told) =>
      lane.transact(async (run) => {
        const { identity, state, buildId = '' } = deployment
        const toldId = await nextId(run)
        await mergeTold(run, { toldId, deployment, told })
        if (state !== 'started')
          await run('SELECT pagerduty_alert.end_deadlines($1, $2)', [identity, buildId])
        if (state !== 'failure') return 0
        const text = 'SELECT * FROM pagerduty_alert.latest_states($1, $2)'
        const rows = await run<StateRow>(text, [identity, COUNTED])
        const latestFirst = rows.toSorted((a, b) => (b.told_id ?? 0) - (a.told_id ?? 0))
        return countFailures(latestFirst.map((row) => row.state))
      }),
  }
}

/** An id that no event has. */
export async function nextId(run: Lane['run']): Promise<number> {
  const [row] = await run<{ id: number }>('SELECT pagerduty_alert.next_id() AS id')
  return row?.id ?? 0
}

interface ListedRow extends DeploymentRow {
  readonly statuses: readonly ListedStatus[]
}

interface StateRow {
  readonly state: EndedDeployment['state']
  readonly told_id: number | null
}

interface EndedRow {
  readonly identity: string
  readonly state: EndedDeployment['state']
  readonly started_at_ms: number | null
  readonly ended_at_ms: number
}

function toListed(row: ListedRow) {
  const stored = toStored(row)
  if (stored === undefined) return undefined
  const { told: before, toldId: _toldId, ...entry } = stored
  const statuses = row.statuses.map((status) => (status === 'discarded' ? 'dead' : status))
  const told = toldOf(statuses, before)
  return { ...entry, ...(told !== undefined && { told }) }
}

interface DeadlineRow {
  readonly identity: string
  readonly build: string
  readonly left_ms: number
}

/** What a running deployment is known by. */
function nameOf(identity: string, build = ''): string {
  return JSON.stringify([identity, build])
}

/** The deadline is shown by this system's time, like all others. */
function dueOf(
  {
    state,
    identity,
    buildId,
  }: { readonly state: string; readonly identity: string; readonly buildId?: string },
  leftMs: ReadonlyMap<string, number>,
): { dueAtMs?: number } {
  const found = state === 'started' ? leftMs.get(nameOf(identity, buildId)) : undefined
  return found === undefined ? {} : { dueAtMs: Date.now() + found }
}
