import { ask, withQuery } from './api.js'
import { copy } from './dialog.js'
import { facts, make, sign, span, webLink, when } from './dom.js'
import { filterForm, oneAtATime, pageOf } from './list.js'
import { createTable } from './table.js'

/** @import { Deployment, DeploymentsPage } from './shapes.d.ts' */
/** @import { Context, View } from './page.js' */

const FILTERS = [
  { name: 'environment', label: 'Environment' },
  { name: 'repository', label: 'Repository' },
  { name: 'outcome', label: 'Outcome', choices: ['started', 'success', 'failure', 'cancelled'] },
  { name: 'since', label: 'Since, such as 12h or 30d', isWide: true },
]

/** @type {import('./table.js').Column<Deployment>[]} */
export const deploymentColumns = [
  { name: 'When', tight: true, cell: ({ started_at: start, ended_at: end }) => when(end ?? start) },
  {
    name: 'Environment',
    tight: true,
    cell: ({ environment, step }) => [environment, step].filter(Boolean).join(' / '),
  },
  {
    name: 'What',
    isHeader: true,
    cell: (each) => [
      make('a', { href: `#deployments/${each.id}` }, titleOf(each)),
      make('small', { class: 'clip' }, aboutOf(each)),
    ],
  },
  {
    name: 'Outcome',
    tight: true,
    cell: ({ outcome, rollback, overdue, due_at: due }) => [
      sign(outcome),
      rollback === true && make('small', {}, 'rollback'),
      overdue === true && make('small', {}, 'never ended'),
      due !== undefined && make('small', {}, 'due ', when(due)),
    ],
  },
  { name: 'Took', tight: true, cell: (each) => tookOf(each) },
  { name: 'In PagerDuty', tight: true, cell: ({ told }) => sign(told) },
  { name: 'Links', tight: true, cell: (each) => linksOf(each) },
]

/** @param {Deployment} deployment */
export function titleOf({ repository, commit, identity }) {
  return repository === undefined
    ? identity
    : `${repository}${commit === undefined ? '' : `@${commit.slice(0, 7)}`}`
}

/** @param {Deployment} deployment */
function aboutOf({ message, committer }) {
  return [message, committer !== undefined && `by ${committer}`].filter(Boolean).join(' · ')
}

/** @param {Deployment} deployment */
function tookOf({ duration_seconds: seconds }) {
  return seconds === undefined ? undefined : span(seconds * 1000)
}

/** @param {Deployment} deployment */
function linksOf({ build_url: build, commit_url: commit, compare_url: compare }) {
  const links = [webLink(build, 'build'), webLink(commit, 'commit'), webLink(compare, 'changes')].filter(
    (link) => link !== undefined,
  )
  return links.length > 0 && make('span', { class: 'links' }, ...links)
}

/**
 * What was deployed.
 * @param {Context} context @returns {View}
 */
export function deploymentsView({ query, fail }) {
  const isFiltered = Object.keys(query).length > 0
  const table = createTable({
    caption: 'Deployments, newest first',
    columns: deploymentColumns,
    mustHold: () => isFiltered,
  })
  /** @param {number} [before] */
  const fetchPage = async (before) => {
    /** @type {DeploymentsPage} */
    const page = await ask(withQuery('/deployments', { ...query, before }))
    return page.deployments
  }
  const ifEmpty = isFiltered ? 'No deployment matches.' : 'The relay has seen no deployment yet.'
  const list = pageOf(table, fetchPage, ifEmpty)
  const refresh = oneAtATime(async () => {
    for (const each of await fetchPage()) table.put(each)
    list.refresh()
  }, fail)
  return {
    title: 'Deployments',
    element: make('section', {}, filterForm('deployments', FILTERS, query), list.element),
    ready: list.load(),
    changed: refresh,
  }
}

/**
 * One deployment, and the last good one before it.
 * @param {Context} context @param {number} id @returns {View}
 */
export function deploymentView(context, id) {
  const element = make('section')
  const load = async () => {
    /** @type {DeploymentsPage} */
    const {
      deployments: [deployment],
    } = await ask(withQuery('/deployments', { before: id + 1 }))
    if (deployment?.id !== id)
      return element.replaceChildren(make('p', { class: 'empty' }, 'This deployment is no longer kept.'))
    const { repository, environment, outcome } = deployment
    /** @type {DeploymentsPage} */
    const { deployments: earlier } = await ask(
      withQuery('/deployments', { before: id, repository, environment, outcome: 'success' }),
    )
    const lastGood =
      outcome === 'success' ? undefined : earlier.find(({ identity }) => identity === deployment.identity)
    element.replaceChildren(...describe(deployment, lastGood))
  }
  return {
    title: `Deployment ${id}`,
    element,
    ready: load(),
    changed: oneAtATime(load, context.fail),
  }
}

/** @param {Deployment} deployment @param {Deployment | undefined} lastGood */
function describe(deployment, lastGood) {
  const { event_ids: events } = deployment
  const good =
    lastGood === undefined ? undefined : make('a', { href: `#deployments/${lastGood.id}` }, titleOf(lastGood))
  const links = events.map((id) => make('a', { href: `#deliveries/${id}` }, `event ${id}`))
  return [
    make('p', {}, make('a', { href: '#deployments' }, 'All deployments')),
    make('h2', { class: 'big' }, titleOf(deployment)),
    facts([
      ['Outcome', sign(deployment.outcome)],
      ['Environment', [deployment.environment, deployment.step].filter(Boolean).join(' / ')],
      ['Message', deployment.message],
      ['By', deployment.committer],
      ['Branch', deployment.branch],
      ['Commit', deployment.commit !== undefined && make('code', {}, deployment.commit)],
      ['CI', [deployment.ci, deployment.build_id].filter(Boolean).join(', build ')],
      ['Began', when(deployment.started_at)],
      ['Has to end by', when(deployment.due_at)],
      [deployment.overdue === true ? 'Given up' : 'Ended', when(deployment.ended_at)],
      ['Took', tookOf(deployment)],
      ['In PagerDuty', sign(deployment.told)],
      ['Events', links.length > 0 && make('span', { class: 'links' }, ...links)],
      ['Links', linksOf(deployment)],
      ['Last good before this', good],
    ]),
    make(
      'p',
      { class: 'buttons' },
      make(
        'button',
        { type: 'button', click: () => void copy(asText(deployment, lastGood)) },
        'Copy as text',
      ),
    ),
  ]
}

/** For a chat. @param {Deployment} deployment @param {Deployment | undefined} lastGood */
function asText(deployment, lastGood) {
  const {
    outcome,
    environment,
    ended_at: end,
    started_at: start,
    build_url: build,
    compare_url: compare,
  } = deployment
  return [
    `${titleOf(deployment)} to ${environment ?? 'an unnamed environment'}: ${outcome}`,
    aboutOf(deployment),
    end ?? start,
    build,
    compare,
    lastGood !== undefined && `last good before: ${titleOf(lastGood)}`,
  ]
    .filter(Boolean)
    .join('\n')
}
