import { all, button, counted, isInUse, make } from './dom.js'

/** @import { Child } from './dom.js' */

/**
 * Its name, what it shows, and its width in rem. Columns without a width share the rest, and the first of these says
 * what the row is about.
 * @template T
 * @typedef {readonly [name: string, cell: (item: T) => Child | readonly Child[], width?: number]} Column
 */

/** @template T @typedef {ReturnType<typeof createTable<T & { readonly id: number }>>} Table */

/**
 * A table whose rows change in place. New rows wait behind a button while somebody reads or types in it.
 * @template {{ readonly id: number }} T
 * @param {string} caption
 * @param {readonly Column<T>[]} columns
 * @param {readonly T[]} [items]
 * @param {boolean} [mustHold] whether new rows wait in any case
 */
export function createTable(caption, columns, items = [], mustHold = false) {
  /** @type {Map<number, HTMLTableRowElement>} */
  const rows = new Map()
  /** @type {Map<number, T>} */
  const held = new Map()
  const body = make('tbody')
  const showHeld = () => {
    for (const item of [...held.values()].toSorted((one, other) => one.id - other.id)) body.prepend(add(item))
    held.clear()
    newer.hidden = true
  }
  const newer = button('', showHeld)
  newer.className = 'new'
  newer.hidden = true
  const heads = columns.map(([name, , width]) => {
    const element = make('th', { scope: 'col' }, name)
    if (width) element.style.width = `${width}rem`
    return element
  })
  const head = make('thead', {}, make('tr', {}, heads))
  const element = make('div', {}, newer, make('table', {}, make('caption', {}, caption), head, body))

  /** @param {T} item */
  const add = (item) => {
    const row = make('tr', {}, cellsOf(columns, item))
    rows.set(item.id, row)
    return row
  }
  /** @param {readonly T[]} more */
  const append = (more) => {
    for (const item of more) if (!rows.has(item.id)) body.append(add(item))
  }
  /** @param {T} item @param {HTMLTableRowElement} row */
  const change = (item, row) => {
    const old = [...row.cells]
    for (const [index, cell] of cellsOf(columns, item).entries()) {
      const before = old[index]
      before?.classList.remove('changed')
      if (before === undefined || before.isEqualNode(cell)) continue
      const hadFocus = before.contains(document.activeElement)
      cell.classList.toggle('changed', before.textContent !== cell.textContent) // not for a moment's difference
      before.replaceWith(cell)
      if (hadFocus) all('a, button', row).at(-1)?.focus({ preventScroll: true })
    }
  }
  append(items)
  return {
    element,
    append,
    /** A new or changed item. @param {T} item */
    put: (item) => {
      const row = rows.get(item.id)
      if (row !== undefined) return change(item, row)
      held.set(item.id, item)
      if (!mustHold && scrollY === 0 && !isInUse(element)) return showHeld()
      newer.textContent = `${counted(held.size, 'new row')}: show`
      newer.hidden = false
    },
    /** The ids of its rows. */
    ids: () => [...rows.keys()],
  }
}

/**
 * @template T
 * @param {readonly Column<T>[]} columns @param {T} item
 */
function cellsOf(columns, item) {
  const subject = columns.find(([, , width]) => !width)
  return columns.map((column) => {
    const [name, cell, width] = column
    if (column === subject) return make('th', { scope: 'row' }, cell(item))
    const element = make('td', { className: width ? '' : 'wide' }, cell(item))
    element.dataset['label'] = name
    return element
  })
}
