import { ask, now, withQuery } from './api.js'
import { confirmBy, tell } from './dialog.js'
import { button, clip, code, counted, grouped, join, link, make, sign, span, when } from './dom.js'
import { createList } from './list.js'

/** @import { Entry, EventsPage, RetryPreview } from './shapes.d.ts' */
/** @import { Act, Context, View } from './page.js' */

/** @type {readonly import('./list.js').Filter[]} */
const FILTERS = [
  ['status', 'Status', 'pending dead delivered discarded'],
  ['kind', 'Kind', 'alert change'],
  ['answer', 'Last answer', 'none 4xx 429 5xx'],
  ['key', 'Routing key'],
  ['dedup_key', 'Dedup key'],
]

/** @param {Act | false} act runs a button's action; false for no buttons @returns {import('./table.js').Column<Entry>[]} */
export function eventColumns(act) {
  /** @type {import('./table.js').Column<Entry>[]} */
  const columns = [
    ['Accepted', (entry) => when(entry.accepted_at), 8.5],
    [
      'Event',
      (entry) => [
        link(`#deliveries/${entry.id}`, titleOf(entry)),
        entry.summary && make('small', {}, entry.dedup_key),
      ],
    ],
    ['Kind', (entry) => entry.action ?? entry.kind, 7],
    ['Key', (entry) => code(entry.key), 5.5],
    ['Status', (entry) => sign(entry.status), 8.5],
    ['Tries', (entry) => entry.attempts, 4],
    [
      'Last answer',
      (entry) => [
        clip(answerOf(entry)),
        entry.next_attempt_at && make('small', {}, 'next try ', when(entry.next_attempt_at)),
      ],
    ],
  ]
  if (act) columns.push(['Action', (entry) => entry.status === 'dead' && retryButton(entry, act), 6])
  return columns
}

/** @param {Entry} entry */
export function titleOf(entry) {
  return entry.summary ?? entry.dedup_key ?? `${entry.kind} event ${entry.id}`
}

/** @param {Entry} entry */
export function answerOf(entry) {
  return join(' ', entry.reason ?? entry.http_status, entry.note && `(discarded: ${entry.note})`)
}

/** @param {Entry} entry @param {Act} act */
export function retryButton(entry, act) {
  const retry = () => act(() => ask('/events/retry', { id: entry.id }))
  return button('Retry', retry, `Retry ${titleOf(entry)}`)
}

/**
 * Every event and how far it has come.
 * @param {Context} context @returns {View}
 */
export function deliveriesView({ query, mayAct, act }) {
  const columns = eventColumns(mayAct() && act)
  const list = createList({
    title: 'Deliveries',
    filters: FILTERS,
    query,
    columns,
    fetchPage: async (wanted) => {
      /** @type {EventsPage} */
      const page = await ask(withQuery('/events', { ...wanted, order: 'newest' }))
      return page.events
    },
  })
  if (mayAct() && (query['status'] ?? 'dead') === 'dead')
    list.form.append(button('Retry all that match…', () => act(() => retryMatching(query))))
  return {
    ...list,
    changed: ({ events, more }) => {
      const known = list.table.ids()
      // The relay knows which new events match the filters.
      const ours = events.filter(({ id }) => !list.isFiltered || known.includes(id))
      for (const entry of ours) list.table.put(entry)
      list.refresh()
      return more || ours.length < events.length
    },
  }
}

/** Retries what matches, after showing how much that is. @param {Readonly<Record<string, string>>} query */
async function retryMatching(query) {
  const filter = { ...query }
  delete filter['status'] // only dead events are retried
  /** @type {RetryPreview} */
  const preview = await ask('/events/retry', { ...filter, dry_run: true })
  const { would_retry: count, would_trigger: triggers, left_out: leftOut, oldest_at: oldest } = preview
  if (!count) return void (await tell('Nothing to retry', 'No dead event matches.'))
  const events = counted(count, 'event')
  const body = [
    `${join(', the oldest ', events, oldest && span(now() - Date.parse(oldest)))} old.`,
    triggers ? `PagerDuty may page for ${grouped(triggers)} of them.` : 'None of them can page anybody.',
    leftOut ? `${counted(leftOut, 'event')} left out: settled by a later event of the same alert.` : '',
  ]
  const lines = body.map((line) => make('p', {}, line))
  if (await confirmBy('Retry all that match?', lines, `Retry ${events}`)) await ask('/events/retry', filter)
}
