import { factList } from './detail.js'
import { code, grouped, join, make, note, replace, when } from './dom.js'
import { createTable } from './table.js'

/** @import { KeyStatus, Status } from './shapes.d.ts' */
/** @import { Context, View } from './page.js' */

/** @type {readonly import('./table.js').Column<KeyStatus & { id: number }>[]} */
const KEY_COLUMNS = [
  ['Key', (each) => code(each.key)],
  [
    'Last minute',
    (each) => (each.per_minute ? `${each.used_last_minute} of ${each.per_minute} calls` : 'not limited here'),
  ],
  ['Next alert', (each) => when(each.next_alert_at) ?? 'at once'],
  ['Next change', (each) => when(each.next_change_at) ?? 'at once'],
  ['Last delivered', (each) => when(each.last_delivered_at) ?? 'never'],
]

/**
 * The state of the relay itself.
 * @param {Context} context @returns {View}
 */
export function relayView({ refreshStatus }) {
  const element = make('section')
  return {
    title: 'Relay',
    element,
    load: async () => replace(element, describe(await refreshStatus())),
  }
}

/** @param {Status} status */
function describe(status) {
  const { spool, fleet } = status
  const keys = status.keys.map((key, id) => ({ ...key, id }))
  return [
    factList({
      Version: status.version,
      'Up since': when(status.started_at),
      Region: status.region.toUpperCase(),
      'Next post': status.not_ready ?? 'would be accepted',
      Delivers: spool
        ? spool.is_delivering
          ? 'yes'
          : 'no: another process does'
        : 'at once, and keeps nothing',
      Room: spool && `${grouped(status.counts.pending)} of ${grouped(spool.limit)} events wait`,
      'Oldest waiting': when(spool?.oldest_pending_at),
      Delivered: grouped(status.counts.delivered),
      Dead: grouped(status.counts.dead),
      'Set aside': spool?.set_aside?.join(', '),
      Fleet: fleet && join(': ', fleet.database, fleet.problem),
      'Keys owned': fleet?.keys_owned?.toString(),
    }),
    make(
      'section',
      {},
      keys.length > 0
        ? createTable('Routing keys', KEY_COLUMNS, keys).element
        : note('No routing key used yet.'),
    ),
  ]
}
