import { withQuery } from './api.js'
import { make } from './dom.js'

/** @typedef {{ name: string, label: string, choices?: readonly string[], isWide?: boolean }} Filter */

/** Rows that one request brings. */
const PAGE_ROWS = 200

/**
 * A form whose values are in the address.
 * @param {string} view @param {readonly Filter[]} filters @param {Record<string, string>} query
 * @param {...Node} buttons
 */
export function filterForm(view, filters, query, ...buttons) {
  const inputs = filters.map(({ name, label, choices, isWide }) => {
    const value = query[name] ?? ''
    const input =
      choices === undefined
        ? make('input', { name, value, type: 'search', autocomplete: 'off' })
        : make(
            'select',
            { name },
            ...['', ...choices].map((choice) =>
              make('option', { value: choice, selected: choice === value }, choice === '' ? 'any' : choice),
            ),
          )
    return make('label', { class: isWide === true && 'grow' }, label, input)
  })
  const form = make('form', { class: 'filters', role: 'search' }, ...inputs, ...buttons)
  form.addEventListener('change', () => form.requestSubmit())
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    /** @type {Record<string, string>} */
    const values = {}
    for (const [name, value] of new FormData(form)) if (typeof value === 'string') values[name] = value.trim()
    location.hash = withQuery(view, values)
  })
  return form
}

/**
 * A table that grows by older rows.
 * @template {{ readonly id: number }} T
 * @param {ReturnType<typeof import('./table.js').createTable<T>>} table
 * @param {(before: number | undefined) => Promise<readonly T[]>} fetchPage
 * @param {string} ifEmpty
 */
export function pageOf(table, fetchPage, ifEmpty) {
  const older = make(
    'button',
    { type: 'button', class: 'more', hidden: true, click: () => void load() },
    'Show older',
  )
  const empty = make('p', { class: 'empty', hidden: true }, ifEmpty)
  const refresh = () => {
    empty.hidden = table.count() > 0
  }
  const load = async () => {
    older.disabled = true
    const items = await fetchPage(table.lastId()).finally(() => (older.disabled = false))
    table.append(items)
    older.hidden = items.length < PAGE_ROWS
    refresh()
  }
  return { element: make('div', {}, table.element, empty, older), load, refresh }
}

/**
 * A function that does some work, and repeats it if it was called in between.
 * @param {() => Promise<unknown>} work @param {(error: unknown) => void} fail
 */
export function oneAtATime(work, fail) {
  let isBusy = false
  let isAgain = false
  const run = async () => {
    isAgain = true
    if (isBusy) return
    isBusy = true
    while (isAgain) {
      isAgain = false
      await work().catch(fail)
    }
    isBusy = false
  }
  return () => void run()
}
