import { ask, withQuery } from './api.js'
import { confirmBy, tell } from './dialog.js'
import { counted, make, sign, span, when } from './dom.js'
import { filterForm, pageOf } from './list.js'
import { createTable } from './table.js'

/** @import { Entry, RetryPreview } from './shapes.d.ts' */
/** @import { Context, View } from './page.js' */

const FILTERS = [
  { name: 'status', label: 'Status', choices: ['pending', 'dead', 'delivered', 'discarded'] },
  { name: 'kind', label: 'Kind', choices: ['alert', 'change'] },
  { name: 'answer', label: 'Last answer', choices: ['none', '4xx', '429', '5xx'] },
  { name: 'key', label: 'Routing key' },
  { name: 'dedup_key', label: 'Dedup key', isWide: true },
]

/** @param {Context} context @returns {import('./table.js').Column<Entry>[]} */
export function eventColumns(context, withAction = context.mayAct()) {
  /** @type {import('./table.js').Column<Entry>[]} */
  const columns = [
    { name: 'Accepted', tight: true, cell: ({ accepted_at: at }) => when(at) },
    {
      name: 'Event',
      isHeader: true,
      cell: (entry) => [
        make('a', { href: `#deliveries/${entry.id}`, class: 'clip' }, titleOf(entry)),
        entry.summary !== undefined &&
          entry.dedup_key !== undefined &&
          make('small', { class: 'mono' }, entry.dedup_key),
      ],
    },
    { name: 'Kind', tight: true, cell: ({ kind, action }) => action ?? kind },
    { name: 'Key', tight: true, cell: ({ key }) => make('code', {}, key) },
    { name: 'Status', tight: true, cell: ({ status }) => sign(status) },
    { name: 'Tries', tight: true, cell: ({ attempts }) => attempts },
    {
      name: 'Last answer',
      cell: (entry) => [
        make('div', { class: 'clip', title: entry.reason }, answerOf(entry)),
        entry.next_attempt_at !== undefined &&
          make('small', {}, 'next try ', /** @type {Node} */ (when(entry.next_attempt_at))),
      ],
    },
  ]
  if (withAction)
    columns.push({
      name: 'Action',
      tight: true,
      cell: (entry) => entry.status === 'dead' && retryButton(entry, context),
    })
  return columns
}

/** @param {Entry} entry */
export function titleOf({ summary, dedup_key: key, kind, id }) {
  return summary ?? key ?? `${kind === 'change' ? 'change event' : 'alert'} ${id}`
}

/** @param {Pick<Entry, 'http_status' | 'reason' | 'note'>} entry */
export function answerOf({ http_status: status, reason, note }) {
  return [reason ?? status, note !== undefined && `(discarded: ${note})`].filter(Boolean).join(' ')
}

/** @param {Entry} entry @param {Context} context */
export function retryButton(entry, context) {
  return make(
    'button',
    {
      type: 'button',
      'aria-label': `Retry ${titleOf(entry)}`,
      click: () => void context.act(() => ask('/events/retry', { method: 'POST', body: { id: entry.id } })),
    },
    'Retry',
  )
}

/**
 * Every event and how far it has come.
 * @param {Context} context @returns {View}
 */
export function deliveriesView(context) {
  const { query } = context
  const table = createTable({
    caption: 'Deliveries, newest first',
    columns: eventColumns(context),
    mustHold: () => Object.keys(query).length > 0,
  })
  const list = pageOf(
    table,
    async (before) => {
      /** @type {import('./shapes.d.ts').EventsPage} */
      const page = await ask(withQuery('/events', { ...query, order: 'newest', before }))
      return page.events
    },
    'No event matches.',
  )
  const retryAll = make(
    'button',
    { type: 'button', click: () => void retryMatching(context) },
    'Retry all that match…',
  )
  retryAll.hidden = !context.mayAct() || (query['status'] ?? 'dead') !== 'dead'
  return {
    title: 'Deliveries',
    element: make('section', {}, filterForm('deliveries', FILTERS, query, retryAll), list.element),
    ready: list.load(),
    changed: ({ events }) => {
      for (const entry of events) if (table.has(entry.id) || matches(entry, query)) table.put(entry)
      list.refresh()
    },
  }
}

/** Whether a new event belongs into the list. @param {Entry} entry @param {Record<string, string>} query */
function matches(entry, { status, kind, key, dedup_key: part = '', answer }) {
  const isPart = (entry.dedup_key ?? '').toLowerCase().includes(part.toLowerCase())
  const isSame = [
    [status, entry.status],
    [kind, entry.kind],
    [key, entry.key],
    [answer, undefined],
  ].every(([wanted, is]) => wanted === undefined || wanted === is)
  return isPart && isSame
}

/** Retries what matches, after showing how much that is. @param {Context} context */
async function retryMatching(context) {
  const { key, kind, dedup_key, answer } = context.query
  const filter = Object.fromEntries(
    Object.entries({ key, kind, dedup_key, answer }).filter(([, value]) => value !== undefined),
  )
  await context.act(async () => {
    /** @type {RetryPreview} */
    const preview = await ask('/events/retry', { method: 'POST', body: { ...filter, dry_run: true } })
    if (preview.would_retry === 0) {
      await tell('Nothing to retry', 'No dead event matches.')
      return
    }
    const oldest =
      preview.oldest_at === undefined
        ? ''
        : `, the oldest ${span(Date.now() - Date.parse(preview.oldest_at))} old`
    const body = [
      make('p', {}, `${counted(preview.would_retry, 'event')}${oldest}.`),
      make(
        'p',
        {},
        preview.would_trigger === 0
          ? 'None of them can page anybody.'
          : `PagerDuty may page for ${preview.would_trigger} of them.`,
      ),
    ]
    if (preview.left_out !== undefined)
      body.push(
        make(
          'p',
          { class: 'dim' },
          `${counted(preview.left_out, 'event')} left out: a later event of the same alert has settled it.`,
        ),
      )
    if (await confirmBy('Retry all that match?', body, `Retry ${counted(preview.would_retry, 'event')}`))
      await ask('/events/retry', { method: 'POST', body: filter })
  })
}
