import { DEPLOYMENT_STATES, type DeploymentState } from '../core/deployment-state.ts'
import { Failure } from '../core/failure.ts'
import { parseSince } from '../core/since.ts'
import { parseChoice } from './parsers.ts'
import { inGroup, valuesOf, type Reader } from './setting.ts'

/** What `deployments` and `report` count. */
export const LIST_SETTINGS = inGroup('list', {
  outcome: {
    option: 'outcome',
    value: 'OUTCOME',
    parse: parseChoice<DeploymentState>(DEPLOYMENT_STATES),
    help: 'only deployments that are started, success, failure or cancelled',
  },
  since: {
    option: 'since',
    value: 'TIME',
    parse: checkSince,
    help: 'only deployments since this time: 12h, 30d or 2w ago, or a time such as 2026-03-01T12:00:00Z',
  },
})

/** Which deployments are wanted. */
export interface ListConfig {
  readonly outcome?: DeploymentState
  /** As `parseSince` reads it. */
  readonly since?: string
}

/** Reads which deployments are wanted. */
export function readListConfig(reader: Reader<keyof typeof LIST_SETTINGS>): ListConfig {
  const read = valuesOf(reader, LIST_SETTINGS)
  const outcome = read('outcome')
  const since = read('since')
  return { ...(outcome && { outcome }), ...(since !== undefined && { since }) }
}

function checkSince(text: string): string {
  if (parseSince(text, 0) === undefined)
    throw new Failure('usage', 'must be like 45m, 12h, 30d or 2w, or a time such as 2026-03-01T12:00:00Z')
  return text
}
