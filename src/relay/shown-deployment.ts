import { repositoryHost } from '../ci/repository-host.ts'
import { isObject } from '../core/json.ts'
import { renderTemplate } from '../core/summary.ts'
import { describeDeployment, type DeploymentEntry } from '../spool/deployment-log.ts'
import type { RelayDeps } from './context.ts'
import { describeShown } from './describe-event.ts'

/** A deployment with what helps if it failed: the last good one, how to go back to it, and what the output said. */
export async function describeShownDeployment(entry: DeploymentEntry, deps: RelayDeps): Promise<object> {
  const { identity, id } = entry
  const [lastGood] = await deps.deployments.list({ identity, outcome: 'success', beforeId: id, limit: 1 })
  return {
    ...describeDeployment(entry),
    last_good: lastGood && describeDeployment(lastGood),
    changes_url: lastGood && changesUrl(lastGood, entry),
    rollback_hint: entry.state === 'failure' && lastGood ? hintAbout(lastGood, deps) : undefined,
    output: await outputOf(entry, deps),
  }
}

/** The user's own words, with what is known of the deployment to go back to. */
function hintAbout({ message, ...entry }: DeploymentEntry, { config }: RelayDeps): string | undefined {
  if (config.rollbackHint === undefined) return undefined
  const build = { ...entry, origins: {}, ...(message !== undefined && { commitMessage: message }) }
  return renderTemplate(config.rollbackHint, {
    build,
    environment: entry.environment,
    outcome: 'success',
    result: {},
  })
}

/** The end of its output, from an event that PagerDuty does not have yet: delivered ones are not kept whole. */
async function outputOf(
  { eventIds }: DeploymentEntry,
  { spool, config }: RelayDeps,
): Promise<string | undefined> {
  for (const id of eventIds) {
    const event = await spool?.show(id)
    const shown =
      event === undefined ? undefined : (describeShown(event, config) as { event?: unknown }).event
    const details =
      isObject(shown) && isObject(shown['payload']) ? shown['payload']['custom_details'] : undefined
    if (isObject(details) && typeof details['output'] === 'string') return details['output']
  }
  return undefined
}

/** The page that shows what has changed from one deployment to the next, made as the commit's own page is. */
function changesUrl(from: DeploymentEntry, { commit, commitUrl }: DeploymentEntry): string | undefined {
  if (commit === undefined || commitUrl === undefined || from.commit === undefined || from.commit === commit)
    return undefined
  const page = commitUrl.replace(/(?:\/-)?\/commits?\/[^/]+$/, '')
  if (!URL.canParse(page)) return undefined
  const host = repositoryHost(page)
  return host.commit(page, commit) === commitUrl ? host.compare(page, from.commit, commit) : undefined
}
