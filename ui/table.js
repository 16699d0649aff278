import { all, make, counted } from './dom.js'

/**
 * @template T
 * @typedef {object} Column
 * @property {string} name
 * @property {(item: T) => import('./dom.js').Child | import('./dom.js').Child[]} cell
 * @property {boolean} [tight]
 * @property {boolean} [isHeader]
 */

/**
 * A table whose rows change in place. New rows wait behind a button while somebody reads or types in it.
 * @template {{ readonly id: number }} T
 * @param {{ caption: string, columns: readonly Column<T>[], mustHold?: () => boolean }} options
 */
export function createTable({ caption, columns, mustHold = () => false }) {
  /** @type {Map<number, HTMLTableRowElement>} */
  const rows = new Map()
  /** @type {Map<number, T>} */
  const held = new Map()
  const body = make('tbody')
  const newer = make('button', { type: 'button', class: 'new', hidden: true, click: () => showHeld() })
  const heads = columns.map(({ name, tight }) =>
    make('th', { scope: 'col', class: tight === true && 'tight' }, name),
  )
  const element = make(
    'div',
    {},
    newer,
    make('table', {}, make('caption', {}, caption), make('thead', {}, make('tr', {}, ...heads)), body),
  )

  /** @param {T} item */
  const add = (item, atTop = false) => {
    const row = make('tr', {}, ...cellsOf(columns, item))
    rows.set(item.id, row)
    if (atTop) body.prepend(row)
    else body.append(row)
  }
  /** @param {T} item @param {HTMLTableRowElement} row */
  const change = (item, row) => {
    const old = [...row.cells]
    cellsOf(columns, item).forEach((cell, index) => {
      old[index]?.classList.remove('changed')
      if (old[index]?.isEqualNode(cell) === true) return
      const had = old[index]?.contains(document.activeElement) === true
      cell.classList.add('changed')
      old[index]?.replaceWith(cell)
      if (had) (all('a, button', cell)[0] ?? all('a, button', row)[0])?.focus({ preventScroll: true })
    })
  }
  const isBusy = () =>
    scrollY > 0 || element.matches(':hover') || element.contains(document.activeElement) || mustHold()
  const showHeld = () => {
    for (const item of [...held.values()].toSorted((one, other) => one.id - other.id)) add(item, true)
    held.clear()
    newer.hidden = true
  }
  return {
    element,
    /** @param {readonly T[]} items */
    append: (items) => {
      for (const item of items) if (!rows.has(item.id)) add(item)
    },
    /** A new or changed item. @param {T} item */
    put: (item) => {
      const row = rows.get(item.id)
      if (row !== undefined) return change(item, row)
      held.set(item.id, item)
      if (!isBusy()) return showHeld()
      newer.textContent = `${counted(held.size, 'new row')}: show`
      newer.hidden = false
    },
    /** @param {number} id */
    has: (id) => rows.has(id),
    count: () => rows.size,
    lastId: () => [...rows.keys()].at(-1),
  }
}

/**
 * @template T
 * @param {readonly Column<T>[]} columns @param {T} item
 */
function cellsOf(columns, item) {
  return columns.map(({ name, cell, tight, isHeader }) => {
    const content = [cell(item)].flat().filter((child) => child !== undefined && child !== false)
    const label = content.length > 0 && name !== '' && isHeader !== true ? name : undefined
    const attributes = {
      'data-label': label,
      class: tight === true ? 'tight' : 'wide',
      scope: isHeader === true && 'row',
    }
    return make(isHeader === true ? 'th' : 'td', attributes, ...content)
  })
}
