import { DEPLOYMENT_STATES } from '../../core/deployment-state.ts'
import type { FastifyReply } from 'fastify'
import { deploymentOf } from '../../core/deployment.ts'
import { cleanObject } from '../../core/json.ts'
import { maskMembers } from '../../core/mask-event.ts'
import { readEvent } from '../../core/normalize-event.ts'
import { parseSince } from '../../core/since.ts'
import { readDeploymentsPage, type DeploymentQuery } from '../../spool/deployment-log.ts'
import type { Call } from '../context.ts'
import {
  DEPLOYMENT_PATHS,
  DEPLOYMENT_SCHEMA,
  DEPLOYMENTS_SCHEMA,
  FAILURES_SCHEMA,
  SHOWN_DEPLOYMENT_SCHEMA,
} from '../deployments-api.ts'
import type { RouteGroup } from '../describe-route.ts'
import { sendProblem } from '../problem.ts'
import { idOf, parseObject, takeJson } from '../body.ts'
import { describeShownDeployment } from '../shown-deployment.ts'
import { sendJson } from '../result.ts'

/** The deployments that events reported, for people and pages. */
export const DEPLOYMENT_ROUTES: RouteGroup = {
  mount: (app, deps) => {
    takeJson(app)
    app.post('/deployments/failures', (request, reply) => countFailure({ request, reply, deps }))
    app.get('/deployments', (request, reply) => listDeployments({ request, reply, deps }))
    app.get('/deployments/:id', (request, reply) => showDeployment({ request, reply, deps }))
  },
  paths: DEPLOYMENT_PATHS,
  schemas: {
    Deployment: DEPLOYMENT_SCHEMA,
    Deployments: DEPLOYMENTS_SCHEMA,
    Failures: FAILURES_SCHEMA,
    ShownDeployment: SHOWN_DEPLOYMENT_SCHEMA,
  },
}

/** For a caller that makes its events itself, and pages only from a certain failure in a row on. */
async function countFailure({ request, reply, deps }: Call): Promise<FastifyReply> {
  const document = parseObject(request.body)
  const reading =
    document && readEvent('alert', maskMembers(cleanObject(document), deps.config.mask), () => ({}))
  const event = reading !== undefined && 'event' in reading ? reading.event : undefined
  const deployment = event && deploymentOf(event, deps.now())
  if (deployment?.state !== 'failure') return sendProblem(reply, { status: 400, detail: NO_FAILURE })
  return sendJson(reply, 200, { failures_in_a_row: await deps.deployments.note(deployment) })
}

const NO_FAILURE = 'the body is not the alert of a failed deployment, as this program makes it'

async function listDeployments({ request, reply, deps: { deployments } }: Call): Promise<FastifyReply> {
  const query = readQuery(request.query as Record<string, unknown>, Date.now())
  if (typeof query === 'string') return sendProblem(reply, { status: 400, detail: query })
  return sendJson(reply, 200, await readDeploymentsPage(deployments, query))
}

/** What is wanted, or what is wrong with it. A parameter that is given twice counts as left out. */
function readQuery(given: Record<string, unknown>, nowMs: number): Omit<DeploymentQuery, 'limit'> | string {
  const [environment, repository, outcome, since, before, identity, text, current] = PARAMETERS.map(
    (name) => {
      const value = given[name]
      return typeof value === 'string' && value !== '' ? value : undefined
    },
  )
  const state = DEPLOYMENT_STATES.find((each) => each === outcome)
  if (outcome !== undefined && state === undefined)
    return `outcome must be one of ${DEPLOYMENT_STATES.join(', ')}`
  const sinceMs = since === undefined ? undefined : parseSince(since, nowMs)
  if (since !== undefined && sinceMs === undefined)
    return 'since must be a time such as 2026-03-01T12:00:00Z, or how long ago, such as 12h or 30d'
  const beforeId = before === undefined ? undefined : Number(before)
  if (beforeId !== undefined && !Number.isSafeInteger(beforeId))
    return 'before must be the id that the previous page gives as next'
  return {
    ...(environment !== undefined && { environment }),
    ...(repository !== undefined && { repository }),
    ...(state !== undefined && { outcome: state }),
    ...(sinceMs !== undefined && { sinceMs }),
    ...(beforeId !== undefined && { beforeId }),
    ...(identity !== undefined && { identity }),
    ...(text !== undefined && { text }),
    ...(current === 'true' && { isCurrent: true }),
  }
}

const PARAMETERS = [
  'environment',
  'repository',
  'outcome',
  'since',
  'before',
  'identity',
  'text',
  'current',
] as const

/** One deployment, and what helps if it failed: what was good before, how to go back, what its output said. */
async function showDeployment({ request, reply, deps }: Call): Promise<FastifyReply> {
  const id = idOf(request)
  const [found] = id === undefined ? [] : await deps.deployments.list({ beforeId: id + 1, limit: 1 })
  if (found === undefined || found.id !== id)
    return sendProblem(reply, {
      status: 404,
      detail: 'no deployment has that id, or it is no longer kept',
    })
  return sendJson(reply.header('cache-control', 'no-store'), 200, await describeShownDeployment(found, deps))
}
