import { ask } from './api.js'
import { answerOf, retryButton, titleOf } from './deliveries.js'
import { createDetail, textPart } from './detail.js'
import { confirmBy } from './dialog.js'
import { button, code, join, make, note, sign, span, when } from './dom.js'
import { createTable } from './table.js'

/** @import { Attempt, EventDetail } from './shapes.d.ts' */
/** @import { Act, Context, View } from './page.js' */

/**
 * One event: its attempts, what it says, what to do.
 * @param {Context} context @param {number} id @returns {View}
 */
export function deliveryView({ mayAct, act }, id) {
  /** @param {EventDetail} detail */
  const describe = (detail) => {
    const { status, event, advice } = detail
    return {
      title: titleOf(detail),
      facts: {
        Status: sign(status),
        Kind: join(', ', detail.kind, detail.action),
        'Dedup key': detail.dedup_key && code(detail.dedup_key),
        'Routing key': code(detail.key),
        Accepted: [when(detail.accepted_at), detail.origin && ` by relay ${detail.origin}`],
        'Delivered by': detail.owner && `relay ${detail.owner}`,
        'Next try': when(detail.next_attempt_at),
        Settled: when(detail.settled_at),
        'Last answer': answerOf(detail),
        'What to do': advice,
      },
      buttons: status === 'dead' && mayAct() ? [retryButton(detail, act), discardButton(detail, act)] : [],
      more: [
        make('section', {}, attemptTable(detail)),
        event
          ? textPart('The event', JSON.stringify(event, undefined, 2))
          : note('What PagerDuty has is not kept here.'),
      ],
    }
  }
  return createDetail(
    'deliveries',
    `/events/${id}`,
    describe,
    ({ events, more }) => more || events.some((entry) => entry.id === id),
  )
}

/** @type {readonly import('./table.js').Column<Attempt & { id: number }>[]} */
const ATTEMPT_COLUMNS = [
  ['Began', (attempt) => when(attempt.at), 8.5],
  ['Answer', (attempt) => attempt.reason],
  ['Status', (attempt) => attempt.status ?? 'no answer', 8.5],
  ['Took', (attempt) => span(attempt.ms), 8.5],
]

/** @param {EventDetail} detail */
function attemptTable({ last_attempts: attempts, attempts: count }) {
  if (attempts.length === 0) return note(count ? 'Its attempts are not kept.' : 'Not tried yet.')
  const caption = count > attempts.length ? `The last ${attempts.length} of ${count} attempts` : 'Attempts'
  const rows = attempts.map((attempt, id) => ({ ...attempt, id }))
  return createTable(caption, ATTEMPT_COLUMNS, rows).element
}

/** @param {EventDetail} detail @param {Act} act */
function discardButton({ id }, act) {
  const reason = make('input', { required: true, maxLength: 200, autocomplete: 'off' })
  const body = [
    make('p', {}, 'It will never be sent to PagerDuty. The reason stays in the list.'),
    make('label', {}, 'Reason', reason),
  ]
  return button('Discard…', () =>
    act(async () => {
      if (await confirmBy('Discard this event?', body, 'Discard'))
        await ask(`/events/${id}/discard`, { reason: reason.value })
    }),
  )
}
