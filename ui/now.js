import { ask } from './api.js'
import { eventColumns } from './deliveries.js'
import { deploymentColumns } from './deployments.js'
import { make } from './dom.js'
import { oneAtATime } from './list.js'
import { createTable } from './table.js'

/** @import { Deployment, DeploymentsPage, EventsPage } from './shapes.d.ts' */
/** @import { Context, View } from './page.js' */

/** @type {(path: string) => Promise<DeploymentsPage>} */
const askDeployments = ask
/** @type {(path: string) => Promise<EventsPage>} */
const askEvents = ask

/** Rows of each table: what is more is a list of its own. */
const MOST = 5

/**
 * What runs, what failed, what is stuck, and what was last good.
 * @param {Context} context @returns {View}
 */
export function nowView(context) {
  const element = make('div')
  const load = async () => {
    const [{ deployments }, dead, pending] = await Promise.all([
      askDeployments('/deployments'),
      askEvents('/events?order=newest&status=dead&limit=5'),
      askEvents('/events?order=newest&status=pending&limit=5'),
    ])
    const latest = latestOfEach(deployments)
    const sections = [
      eventsTable('Dead: retry or discard', 'dead', dead, context),
      eventsTable('Waiting', 'pending', pending, context),
      deploymentsTable(
        'Running',
        latest.filter(({ outcome }) => outcome === 'started'),
      ),
      deploymentsTable(
        'Failed and not recovered yet',
        latest.filter(({ outcome }) => outcome === 'failure'),
      ),
      deploymentsTable('Last success of each environment', lastSuccesses(deployments)),
    ].filter((section) => section !== undefined)
    if (deployments.length === 0)
      sections.push(
        make(
          'section',
          {},
          make(
            'p',
            { class: 'empty' },
            'No deployment has been reported to this relay yet. Run “pagerduty-alert success” with PAGERDUTY_RELAY_URL set to this address, and it appears here.',
          ),
        ),
      )
    if (!element.contains(document.activeElement)) element.replaceChildren(...sections)
  }
  return { title: 'Now', element, ready: load(), changed: oneAtATime(load, context.fail) }
}

/** @param {string} caption @param {'dead' | 'pending'} status @param {EventsPage} page @param {Context} context */
function eventsTable(caption, status, { events, counts }, context) {
  if (events.length === 0) return undefined
  const table = createTable({
    caption,
    columns: eventColumns(context, status === 'dead' && context.mayAct()),
  })
  table.append(events)
  const rest =
    counts[status] > MOST &&
    make(
      'p',
      { class: 'more' },
      make('a', { href: `#deliveries?status=${status}` }, `All ${counts[status].toLocaleString('en')}`),
    )
  return make('section', {}, table.element, rest)
}

/** @param {string} caption @param {readonly Deployment[]} deployments */
function deploymentsTable(caption, deployments) {
  if (deployments.length === 0) return undefined
  const table = createTable({ caption, columns: deploymentColumns })
  table.append(deployments.slice(0, MOST))
  return make(
    'section',
    {},
    table.element,
    deployments.length > MOST &&
      make('p', { class: 'more' }, make('a', { href: '#deployments' }, 'All deployments')),
  )
}

/** Of each repository and environment; a cancelled one changes nothing. @param {readonly Deployment[]} deployments newest first */
function latestOfEach(deployments) {
  return firstOfEach(
    deployments.filter(({ outcome }) => outcome !== 'cancelled'),
    ({ identity }) => identity,
  )
}

/** @param {readonly Deployment[]} deployments newest first */
function lastSuccesses(deployments) {
  return firstOfEach(
    deployments.filter(({ outcome }) => outcome === 'success'),
    ({ identity }) => identity,
  )
}

/** @param {readonly Deployment[]} deployments @param {(each: Deployment) => string} by */
function firstOfEach(deployments, by) {
  /** @type {Map<string, Deployment>} */
  const first = new Map()
  for (const each of deployments) if (!first.has(by(each))) first.set(by(each), each)
  return [...first.values()]
}
