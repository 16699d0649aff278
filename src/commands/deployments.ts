import { DEPLOYMENT_STATES } from '../core/deployment-state.ts'
import type { Session } from '../cli/session.ts'
import { deploymentFigures, type EndedDeployment, type Figure } from '../core/deployment-figures.ts'
import { shortCommit } from '../core/summary.ts'
import { formatMs } from '../core/duration.ts'
import { parseSince } from '../core/since.ts'
import { exitOf, incompleteOf, textOf, type JsonAnswer, type Backend } from './backend.ts'
import { openBackend } from './open-backend.ts'

/** `deployments`: lists what a relay, a fleet or a spool remembers, the newest first. @returns the exit status */
export async function deployments(session: Session): Promise<number> {
  const { io, json, config } = session
  return await withBackend(session, async (backend) => {
    const found = await readAll(session, backend, config.list.since)
    if (json) io.writeOut(`${JSON.stringify({ deployments: found, ...incompleteOf(backend) })}\n`)
    else for (const deployment of found) io.writeOut(`${lineOf(deployment)}\n`)
  })
}

/** `report`: prints four figures of the deployments since a time, each with its definition. @returns the exit status */
export async function report(session: Session): Promise<number> {
  const { io, config, json } = session
  const since = config.list.since ?? DEFAULT_SINCE
  const nowMs = Date.now()
  const spanMs = nowMs - (parseSince(since, nowMs) ?? nowMs)
  return await withBackend(session, async (backend) => {
    const oldestFirst = (await readAll(session, backend, since)).toReversed()
    const figures = deploymentFigures(oldestFirst.flatMap(endedOf), spanMs)
    if (json) io.writeOut(`${JSON.stringify({ since, figures, ...incompleteOf(backend) })}\n`)
    else for (const figure of figures) io.writeOut(`${figureLine(figure)}\n`)
  })
}

/** Prints what a backend answers. @returns the exit status */
async function withBackend(session: Session, print: (backend: Backend) => Promise<void>): Promise<number> {
  const backend = await openBackend(session)
  try {
    await print(backend)
    return exitOf(session, backend)
  } finally {
    await backend.close()
  }
}

const DEFAULT_SINCE = '30d'
/** As many pages as a spool keeps, so that a server that always names a next page does not make this endless. */
const MAX_PAGES = 60

async function readAll(
  { config: { list, event } }: Session,
  backend: Backend,
  since: string | undefined,
): Promise<JsonAnswer[]> {
  const environment = event.choices.environment?.value
  const query = {
    ...(environment !== undefined && { environment }),
    ...(list.outcome !== undefined && { outcome: list.outcome }),
    ...(since !== undefined && { since }),
  }
  const found: JsonAnswer[] = []
  let next: unknown
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await backend.deployments(
      typeof next === 'number' ? { ...query, before: String(next) } : query,
    )
    if (Array.isArray(answer['deployments'])) found.push(...(answer['deployments'] as JsonAnswer[]))
    next = answer['next']
    if (typeof next !== 'number') break
  }
  return found
}

function lineOf(deployment: JsonAnswer): string {
  const text = (name: string): string => textOf(deployment, name)
  const what = [text('repository') || text('identity'), shortCommit(text('commit'))].filter(Boolean).join('@')
  const told = text('told') === 'delivered' || text('told') === '' ? '' : ` (${text('told')})`
  const due =
    deployment['overdue'] === true ? ' (never ended)' : text('due_at') && ` (must end by ${text('due_at')})`
  const rest = [text('committer'), text('message')].filter(Boolean).join(': ')
  return `${text('ended_at') || text('started_at')}  ${text('outcome').padEnd(9)}  ${text('environment')}  ${what}  ${rest}${due}${told}`
}

function endedOf(deployment: JsonAnswer): EndedDeployment[] {
  const state = DEPLOYMENT_STATES.find((each) => each === deployment['outcome'])
  const [startedAtMs, endedAtMs] = ['started_at', 'ended_at'].map((name) =>
    Date.parse(textOf(deployment, name)),
  )
  if (state === undefined || endedAtMs === undefined || Number.isNaN(endedAtMs)) return []
  const isStartKnown = startedAtMs !== undefined && !Number.isNaN(startedAtMs)
  return [
    { identity: textOf(deployment, 'identity'), state, endedAtMs, ...(isStartKnown && { startedAtMs }) },
  ]
}

const TITLES: Readonly<Record<Figure['name'], string>> = {
  frequency: 'frequency',
  duration: 'duration',
  failure_share: 'share of failures',
  recovery_time: 'time to recovery',
}

function figureLine({ name, value, unit, count, definition }: Figure): string {
  const shown =
    value === undefined
      ? 'unknown'
      : {
          'per day': `${value.toFixed(2)} a day`,
          seconds: formatMs(value * 1000),
          ratio: `${Math.round(value * 100)} %`,
        }[unit]
  return `${TITLES[name]}: ${shown} (of ${count}; ${definition})`
}
