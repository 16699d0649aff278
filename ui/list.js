import { withQuery } from './api.js'
import { button, make, note, refreshTimes } from './dom.js'
import { createTable } from './table.js'

/** @typedef {readonly [name: string, label: string, choices?: string]} Filter its choices are words with spaces between them */

/** Rows that one request brings. */
const PAGE_ROWS = 200

/**
 * A form whose values are in the address.
 * @param {string} view
 * @param {readonly Filter[]} filters
 * @param {Readonly<Record<string, string>>} query
 */
function filterForm(view, filters, query) {
  const labels = filters.map(([name, label, choices]) => {
    const options = ` ${choices}`.split(' ').map((value) => make('option', { value }, value || 'any'))
    const input = choices
      ? make('select', { name }, options)
      : make('input', { name, type: 'search', autocomplete: 'off' })
    input.value = query[name] ?? ''
    return make('label', {}, label, input)
  })
  const form = make('form', { className: 'filters', role: 'search' }, labels)
  form.onchange = () => form.requestSubmit()
  form.onsubmit = () => {
    const values = [...new FormData(form)].map(([name, value]) => [
      name,
      /** @type {string} */ (value).trim(),
    ])
    location.hash = withQuery(view, Object.fromEntries(values))
    return false
  }
  return form
}

/**
 * A table with filters, which is read page by page.
 * @template {{ readonly id: number }} T
 * @param {object} list
 * @param {'Deliveries' | 'Deployments'} list.title
 * @param {readonly Filter[]} list.filters
 * @param {Readonly<Record<string, string>>} list.query
 * @param {readonly import('./table.js').Column<T>[]} list.columns
 * @param {(query: Readonly<Record<string, string | number | undefined>>) => Promise<readonly T[]>} list.fetchPage
 */
export function createList({ title, filters, query, columns, fetchPage }) {
  const view = title.toLowerCase()
  const isFiltered = Object.keys(query).length > 0
  const table = createTable(`${title}, newest first`, columns, [], isFiltered)
  const form = filterForm(view, filters, query)
  const empty = note(isFiltered ? 'Nothing matches.' : `No ${view} yet.`)
  const older = button('Older', async () => {
    older.disabled = true
    await read(Math.min(...table.ids())).finally(() => (older.disabled = false))
  })
  /** Reads the first page, or the one after a row. @param {number} [before] */
  const read = async (before) => {
    const items = await fetchPage({ ...query, before })
    refreshTimes()
    if (before === undefined && table.ids().length > 0) for (const item of items) table.put(item)
    else {
      table.append(items)
      older.hidden = items.length < PAGE_ROWS
    }
    refresh()
  }
  const refresh = () => {
    empty.hidden = table.ids().length > 0
  }
  older.hidden = empty.hidden = true
  return {
    title,
    table,
    form,
    isFiltered,
    refresh,
    load: () => read(),
    element: make('section', {}, form, table.element, empty, older),
  }
}
