import { DEPLOYMENT_STATES } from '../core/deployment-state.ts'
import { DEPLOYMENTS_PAGE } from '../spool/deployment-log.ts'
import { answering, jsonContent } from './describe-route.ts'

const PAGE = `At most ${DEPLOYMENTS_PAGE} deployments, and next if there are more`

/* `GET /deployments` as `openapi.json` describes it. */

const query = (name: string, description: string, schema: object = { type: 'string' }): object => ({
  name,
  in: 'query',
  description,
  schema,
})

const text = { type: 'string' } as const
const time = { type: 'string', format: 'date-time' } as const

/** A deployment, as JSON Schema. What is not known is absent. */
export const DEPLOYMENT_SCHEMA = {
  type: 'object',
  required: ['id', 'identity', 'outcome', 'event_ids'],
  properties: {
    id: { type: 'integer' },
    identity: {
      ...text,
      description: 'The same for every deployment of the same repository, environment and step',
    },
    outcome: { type: 'string', enum: DEPLOYMENT_STATES },
    repository: text,
    environment: text,
    step: text,
    branch: text,
    commit: text,
    message: { ...text, description: 'First line of the commit message' },
    committer: text,
    ci: text,
    build_id: text,
    build_url: text,
    commit_url: text,
    compare_url: { ...text, description: 'The changes since the commit that was built before' },
    rollback: { type: 'boolean' },
    overdue: { type: 'boolean', description: 'It never reported how it ended, so it counts as failed' },
    started_at: time,
    due_at: { ...time, description: 'When its failure alert is triggered if it still runs; absent if never' },
    ended_at: { ...time, description: 'Absent while it runs' },
    duration_seconds: { type: 'number' },
    told: {
      type: 'string',
      enum: ['delivered', 'waiting', 'dead'],
      description: 'Whether PagerDuty has its events; absent if there was nothing to send yet',
    },
    event_ids: { type: 'array', items: { type: 'integer' }, description: 'Its events in the spool' },
  },
} as const

const DEPLOYMENT = { $ref: '#/components/schemas/Deployment' } as const

/** A page of deployments. */
export const DEPLOYMENTS_SCHEMA = {
  type: 'object',
  required: ['deployments'],
  properties: {
    deployments: { type: 'array', items: DEPLOYMENT },
    next: {
      type: 'integer',
      description: 'Give this as before to get the next page; absent on the last page',
    },
  },
} as const

/** One deployment, and what helps if it failed. */
export const SHOWN_DEPLOYMENT_SCHEMA = {
  allOf: [
    DEPLOYMENT,
    {
      type: 'object',
      properties: {
        last_good: { ...DEPLOYMENT, description: 'The last success with the same identity before this one' },
        changes_url: { ...text, description: 'The changes since that last success' },
        rollback_hint: { ...text, description: 'PAGERDUTY_ROLLBACK_HINT, filled in from the last success' },
        output: { ...text, description: 'The end of its output, masked, while one of its events is kept' },
      },
    },
  ],
} as const

/** The answer to a failure that is counted. */
export const FAILURES_SCHEMA = {
  type: 'object',
  required: ['failures_in_a_row'],
  properties: { failures_in_a_row: { type: 'integer' } },
} as const

/** The routes' part of the OpenAPI document. */
export const DEPLOYMENT_PATHS = {
  '/deployments': {
    get: {
      ...answering(
        'List the deployments that events reported, newest first',
        { description: PAGE, schema: 'Deployments' },
        [400, 401, 503],
      ),
      parameters: [
        query('environment', 'Only those to this environment'),
        query('repository', 'Only those of this repository'),
        query('outcome', 'Only those with this outcome', { type: 'string', enum: DEPLOYMENT_STATES }),
        query('identity', 'Only those with this identity'),
        query(
          'text',
          'Only those with this text in their repository, environment, commit, message, branch, committer or build',
        ),
        query(
          'current',
          'true: only the latest of each identity, without cancelled ones, and its latest success',
          {
            type: 'boolean',
          },
        ),
        query('since', 'Only those since a time (ISO 8601), or within a duration: 45m, 12h, 30d, 2w'),
        query('before', 'What the previous page gives as next', { type: 'integer' }),
      ],
    },
  },
  '/deployments/failures': {
    post: {
      ...answering(
        'Count a failed deployment before its event is sent',
        { description: 'how many failures in a row there are now, this one included', schema: 'Failures' },
        [400, 401, 413, 415, 503],
      ),
      requestBody: { required: true, content: jsonContent('Alert') },
    },
  },
  '/deployments/{id}': {
    get: {
      ...answering(
        'Show one deployment, the last success before it, and the end of its output while that is kept',
        { description: 'the deployment', schema: 'ShownDeployment' },
        [401, 404, 503],
      ),
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
    },
  },
}
