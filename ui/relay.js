import { facts, make, when } from './dom.js'
import { createTable } from './table.js'

/** @import { Status } from './shapes.d.ts' */
/** @import { Context, View } from './page.js' */

/**
 * The state of the relay itself.
 * @param {Context} context @returns {View}
 */
export function relayView({ status, refreshStatus }) {
  const element = make('section')
  const show = () => element.replaceChildren(...describe(status()))
  const load = async () => {
    await refreshStatus()
    show()
  }
  return { title: 'Relay', element, ready: load(), changed: () => void load().catch(() => undefined) }
}

/** @param {Status} status */
function describe({ version, started_at: start, region, not_ready: notReady, spool, counts, keys }) {
  /** @type {import('./table.js').Column<import('./shapes.d.ts').KeyStatus & { id: number }>[]} */
  const columns = [
    { name: 'Key', isHeader: true, cell: ({ key }) => make('code', {}, key) },
    {
      name: 'Pace',
      cell: ({ used_last_minute: used, per_minute: most }) =>
        most === undefined ? 'not limited here' : `${used} of ${most} calls in the last minute`,
    },
    { name: 'Paused until', cell: ({ paused_until: until }) => when(until) ?? 'not paused' },
    { name: 'Last delivered', cell: ({ last_delivered_at: at }) => when(at) ?? 'never' },
  ]
  const table = createTable({ caption: 'Routing keys', columns })
  table.append(keys.map((key, id) => ({ ...key, id })))
  const room =
    spool === undefined
      ? undefined
      : `${counts.pending.toLocaleString('en')} of ${spool.limit.toLocaleString('en')} events wait`
  return [
    facts([
      ['Version', version],
      ['Up since', when(start)],
      ['Region', region.toUpperCase()],
      ['Next post', notReady ?? 'would be accepted'],
      [
        'Keeps events',
        spool === undefined
          ? 'no: there is no spool, callers get PagerDuty’s own answer'
          : spool.is_delivering
            ? 'yes, and delivers them'
            : 'yes; another process delivers them',
      ],
      ['Room', room],
      ['Oldest waiting', when(spool?.oldest_pending_at)],
      ['Delivered', counts.delivered.toLocaleString('en')],
      ['Dead', counts.dead.toLocaleString('en')],
      ['Set aside', spool?.set_aside?.join(', ')],
    ]),
    make(
      'section',
      {},
      keys.length > 0 ? table.element : make('p', { class: 'empty' }, 'No routing key has been used yet.'),
    ),
  ]
}
