import { ask } from './api.js'
import { eventColumns } from './deliveries.js'
import { deploymentColumns } from './deployments.js'
import { button, grouped, isInUse, link, make, note, refreshTimes } from './dom.js'
import { createTable } from './table.js'

/** @import { DeploymentsPage, EventsPage } from './shapes.d.ts' */
/** @import { Column } from './table.js' */
/** @import { Context, View } from './page.js' */

/** @typedef {readonly [caption: string, columns: readonly Column<any>[], items: readonly { id: number }[], more?: Node | false]} Part */

/** Events of each kind; a link leads to the rest. */
const MOST = 5

/**
 * What is stuck, what runs, what failed, and what was last good.
 * @param {Context} context @returns {View}
 */
export function nowView({ mayAct, act }) {
  const element = make('div')
  const news = button('There is news: show', () => load(true))
  news.className = 'new'
  let shown = ''
  /** @type {import('./table.js').Table<any>[]} */
  let tables = []

  const load = async (isWanted = false) => {
    const parts = await readParts(eventColumns(mayAct() && act))
    const ids = JSON.stringify(parts.map(([caption, , items]) => [caption, items.map((item) => item.id)]))
    refreshTimes()
    news.hidden = true
    if (ids === shown) return tables.forEach((table, index) => parts[index]?.[2].forEach(table.put))
    if (isInUse(element) && !isWanted) return (news.hidden = false)
    shown = ids
    tables = parts.map(([caption, columns, items]) => createTable(caption, columns, items))
    const sections = parts.map(([, columns, , more], index) => {
      const className = parts[index - 1]?.[1] === columns ? 'again' : '' // its columns have been named
      return make('section', { className }, tables[index]?.element, more)
    })
    element.replaceChildren(
      news,
      ...sections,
      parts.at(-1)?.[1] === deploymentColumns ? '' : make('section', {}, note(NONE)),
    )
  }
  return { title: 'Now', element, load }
}

/** @param {readonly Column<any>[]} columns of events @returns {Promise<Part[]>} */
async function readParts(columns) {
  /** @type {Promise<DeploymentsPage>} */
  const current = ask('/deployments?current=true')
  const [{ deployments }, dead, pending] = await Promise.all([
    current,
    readEvents('Dead: retry or discard', 'dead', columns),
    readEvents('Waiting', 'pending', columns),
  ])
  /** @param {string} caption @param {string} state @returns {Part} */
  const latest = (caption, state) => [
    caption,
    deploymentColumns,
    deployments.filter((each) => each.outcome === state),
  ]
  /** @type {Part[]} */
  const parts = [
    dead,
    pending,
    latest('Running', 'started'),
    latest('Failed and not recovered yet', 'failure'),
    latest('Last success of each environment', 'success'),
  ]
  return parts.filter(([, , items]) => items.length > 0)
}

const NONE = 'No deployment yet. Set PAGERDUTY_RELAY_URL to this address for “pagerduty-alert success”.'

/** @param {string} caption @param {'dead' | 'pending'} status @param {readonly Column<any>[]} columns @returns {Promise<Part>} */
async function readEvents(caption, status, columns) {
  /** @type {EventsPage} */
  const { events, counts } = await ask(`/events?order=newest&status=${status}&limit=${MOST}`)
  const count = counts[status]
  return [
    caption,
    columns,
    events,
    count > MOST && link(`#deliveries?status=${status}`, `All ${grouped(count)}`),
  ]
}
