import { ask, withQuery } from './api.js'
import { createDetail, textPart } from './detail.js'
import { clip, code, join, link, make, sign, span, webLink, when } from './dom.js'
import { createList } from './list.js'

/** @import { Deployment, DeploymentDetail, DeploymentsPage } from './shapes.d.ts' */
/** @import { Context, View } from './page.js' */

/** @type {readonly import('./list.js').Filter[]} */
const FILTERS = [
  ['environment', 'Environment'],
  ['repository', 'Repository'],
  ['outcome', 'Outcome', 'started success failure cancelled'],
  ['since', 'Since (12h, 30d)'],
  ['text', 'Search'],
]

/** @type {readonly import('./table.js').Column<Deployment>[]} */
export const deploymentColumns = [
  ['When', (each) => when(each.ended_at ?? each.started_at), 8.5],
  [
    'What',
    (each) => [
      link(`#deployments/${each.id}`, titleOf(each)),
      make('small', { className: 'clip' }, aboutOf(each)),
    ],
  ],
  ['Environment', (each) => clip(placeOf(each)), 9.5],
  ['Outcome', outcomeOf, 8.5],
  ['Took', tookOf, 6.5],
  ['In PagerDuty', (each) => sign(each.told), 8.5],
  ['Links', linksOf, 13.5],
]

/** @param {Deployment} each */
function titleOf(each) {
  return join('@', each.repository ?? each.identity, each.commit?.slice(0, 7))
}

/** @param {Deployment} each */
function placeOf(each) {
  return join(' / ', each.environment, each.step)
}

/** @param {Deployment} each */
function aboutOf(each) {
  return join(' · ', each.message, each.committer && `by ${each.committer}`)
}

/** @param {Deployment} each */
function outcomeOf(each) {
  return [
    sign(each.outcome),
    each.rollback && make('small', {}, 'rollback'),
    each.overdue && make('small', {}, 'never ended'),
    each.due_at && !each.ended_at && make('small', {}, 'due ', when(each.due_at)),
  ]
}

/** @param {Deployment} each */
function tookOf(each) {
  return each.duration_seconds !== undefined && span(each.duration_seconds * 1000)
}

/** @param {Deployment} each */
function linksOf(each) {
  const links = [
    webLink(each.build_url, 'build'),
    webLink(each.commit_url, 'commit'),
    webLink(each.compare_url, 'diff'),
  ]
  return links.some(Boolean) && make('span', { className: 'links' }, links)
}

/**
 * What was deployed.
 * @param {Context} context @returns {View}
 */
export function deploymentsView({ query }) {
  return createList({
    title: 'Deployments',
    filters: FILTERS,
    query,
    columns: deploymentColumns,
    fetchPage: async (wanted) => {
      /** @type {DeploymentsPage} */
      const page = await ask(withQuery('/deployments', wanted))
      return page.deployments
    },
  })
}

/**
 * One deployment, and the last good one before it.
 * @param {Context} _context @param {number} id
 */
export function deploymentView(_context, id) {
  return createDetail('deployments', `/deployments/${id}`, describe)
}

/** @param {DeploymentDetail} each */
function describe(each) {
  const good = each.last_good
  return {
    title: titleOf(each),
    facts: {
      Outcome: outcomeOf(each),
      Environment: placeOf(each),
      Message: each.message,
      By: each.committer,
      Branch: each.branch,
      Commit: each.commit && code(each.commit),
      CI: join(', build ', each.ci, each.build_id),
      Began: when(each.started_at),
      'Must end by': when(each.due_at),
      Ended: when(each.ended_at),
      Took: tookOf(each),
      'In PagerDuty': sign(each.told),
      Events: each.event_ids.flatMap((id) => [link(`#deliveries/${id}`, `event ${id}`), ' ']),
      Links: linksOf(each),
      'Previous success': good && [
        link(`#deployments/${good.id}`, titleOf(good)),
        ' ',
        when(good.ended_at),
        ' ',
        webLink(each.changes_url, 'changes since'),
      ],
      'To roll back': each.rollback_hint && code(each.rollback_hint),
    },
    more: [each.output && textPart('The end of its output', each.output)],
  }
}
