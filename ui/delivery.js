import { ask } from './api.js'
import { confirmBy, copy } from './dialog.js'
import { clockTime, counted, facts, make, sign, span, when } from './dom.js'
import { answerOf, retryButton, titleOf } from './deliveries.js'
import { createTable } from './table.js'

/** @import { EventDetail } from './shapes.d.ts' */
/** @import { Context, View } from './page.js' */

/**
 * One event: its attempts, what it says, what to do.
 * @param {Context} context @param {number} id @returns {View}
 */
export function deliveryView(context, id) {
  const element = make('section')
  const load = async () => {
    /** @type {EventDetail} */
    const detail = await ask(`/events/${id}`)
    element.replaceChildren(...describe(detail, context))
  }
  return {
    title: `Event ${id}`,
    element,
    ready: load(),
    changed: ({ events }) => {
      if (events.some((entry) => entry.id === id)) void load().catch(context.fail)
    },
  }
}

/** @param {EventDetail} detail @param {Context} context */
function describe(detail, context) {
  const { status, event, advice, last_attempts: attempts } = detail
  const buttons = [make('button', { type: 'button', click: () => void copy(asText(detail)) }, 'Copy as text')]
  if (status === 'dead' && context.mayAct())
    buttons.unshift(
      retryButton(detail, context),
      make('button', { type: 'button', click: () => void discard(detail, context) }, 'Discard…'),
    )
  return [
    make('p', {}, make('a', { href: '#deliveries' }, 'All deliveries')),
    make('h2', { class: 'big' }, titleOf(detail)),
    facts([
      ['Status', sign(status)],
      ['Kind', [detail.kind, detail.action].filter(Boolean).join(', ')],
      ['Dedup key', detail.dedup_key !== undefined && make('code', {}, detail.dedup_key)],
      ['Routing key', make('code', {}, detail.key)],
      ['Accepted', when(detail.accepted_at)],
      ['Next try', when(detail.next_attempt_at)],
      ['Settled', when(detail.settled_at)],
      ['Last answer', answerOf(detail)],
    ]),
    advice === undefined ? '' : make('p', { class: 'advice' }, advice),
    make('p', { class: 'buttons' }, ...buttons),
    make('section', {}, attemptTable(attempts, detail.attempts)),
    make(
      'section',
      {},
      make('h2', {}, 'The event'),
      event === undefined
        ? make('p', { class: 'empty' }, 'The relay forgets what an event says as soon as PagerDuty has it.')
        : make('pre', {}, JSON.stringify(event, undefined, 2)),
    ),
  ]
}

/** @param {EventDetail['last_attempts']} attempts @param {number} count */
function attemptTable(attempts, count) {
  if (attempts.length === 0)
    return make(
      'p',
      { class: 'empty' },
      count === 0 ? 'Not tried yet.' : 'The answers to its attempts are not kept.',
    )
  /** @type {import('./table.js').Column<import('./shapes.d.ts').Attempt & { id: number }>[]} */
  const columns = [
    { name: 'Began', tight: true, isHeader: true, cell: ({ at }) => when(at) },
    { name: 'Took', tight: true, cell: ({ ms }) => span(ms) },
    { name: 'Status', tight: true, cell: ({ status }) => status ?? 'no answer' },
    { name: 'Answer', cell: ({ reason }) => reason },
  ]
  const caption = count > attempts.length ? `The last ${attempts.length} of ${count} attempts` : 'Attempts'
  const table = createTable({ caption, columns })
  table.append(attempts.map((attempt, index) => ({ ...attempt, id: index })))
  return table.element
}

/** @param {EventDetail} detail @param {Context} context */
async function discard(detail, context) {
  const reason = make('input', { name: 'reason', required: true, maxlength: 200, autocomplete: 'off' })
  const body = [
    make('p', {}, 'It will never be sent to PagerDuty. The reason stays in the list.'),
    make('label', {}, 'Reason', reason),
  ]
  if (await confirmBy('Discard this event?', body, 'Discard'))
    await context.act(() =>
      ask(`/events/${detail.id}/discard`, { method: 'POST', body: { reason: reason.value } }),
    )
}

/** For a chat. @param {EventDetail} detail */
function asText(detail) {
  const { kind, action, status, key, attempts, accepted_at: at } = detail
  return [
    titleOf(detail),
    `${action ?? kind}, ${status} after ${counted(attempts, 'attempt')}, key ${key}`,
    `accepted ${at} (${clockTime(at)})`,
    answerOf(detail),
    `${location.origin}/#deliveries/${detail.id}`,
  ]
    .filter((line) => line !== '')
    .join('\n')
}
