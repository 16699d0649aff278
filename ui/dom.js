/* Makes elements. Text comes from outside: it becomes text and nothing else. */

/** @typedef {Node | string | number | undefined | false} Child */

/**
 * An element with attributes and children.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number | boolean | ((event: Event) => void) | undefined>} attributes functions listen
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value)
    else if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children)
    if (child !== undefined && child !== false) element.append(child instanceof Node ? child : String(child))
  return element
}

/**
 * An element of the page by its id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`no #${id}`)
  return element
}

/**
 * All elements that match.
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {HTMLElement[]}
 */
export function all(selector, within = document) {
  return [...within.querySelectorAll(/** @type {'a'} */ (selector))]
}

/**
 * A link to another site; only text if the address is not one of the web.
 * @param {string | undefined} href
 * @param {string} text
 */
export function webLink(href, text) {
  if (href === undefined) return undefined
  const isWeb = /^https?:\/\//i.test(href) && URL.canParse(href)
  return isWeb ? make('a', { href, rel: 'noopener noreferrer' }, text) : make('span', {}, `${text}: ${href}`)
}

/**
 * A time with its zone, and how long ago that is.
 * @param {string | undefined} iso
 */
export function when(iso) {
  if (iso === undefined) return undefined
  return make('time', { datetime: iso, title: fullTime.format(new Date(iso)) }, ago(iso, Date.now()))
}

const fullTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' })
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })

/** @param {string | number | Date} time */
export function clockTime(time) {
  return clock.format(new Date(time))
}

/** Writes how long ago every time on the page is now. */
export function refreshTimes() {
  for (const element of document.querySelectorAll('time')) {
    const text = ago(element.dateTime, Date.now())
    if (element.textContent !== text) element.textContent = text
  }
}

/**
 * "4 min ago", "in 20 s".
 * @param {string} iso
 * @param {number} nowMs
 */
export function ago(iso, nowMs) {
  const ms = nowMs - Date.parse(iso)
  if (Math.abs(ms) < 1000) return 'now'
  const text = span(Math.abs(ms)).replace(/ \d+ s$/, '')
  return ms < 0 ? `in ${text}` : `${text} ago`
}

/**
 * A span of time in its two largest units at most.
 * @param {number} ms
 */
export function span(ms) {
  const seconds = Math.round(ms / 1000)
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10 && seconds % 60 > 0) return `${minutes} min ${seconds % 60} s`
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 > 0 ? `${hours} h ${minutes % 60} min` : `${hours} h`
  const days = Math.floor(hours / 24)
  return days === 1 ? '1 day' : `${days} days`
}

/**
 * "1 event", "2 events".
 * @param {number} count
 * @param {string} noun
 */
export function counted(count, noun) {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

/** Words and signs of how things stand. @type {Readonly<Record<string, readonly [string, string]>>} */
const SIGNS = {
  pending: ['wait', 'waiting'],
  waiting: ['wait', 'waiting'],
  delivered: ['ok', 'delivered'],
  dead: ['bad', 'dead'],
  discarded: ['none', 'discarded'],
  started: ['wait', 'running'],
  success: ['ok', 'succeeded'],
  failure: ['bad', 'failed'],
  cancelled: ['none', 'cancelled'],
}

/** @param {string | undefined} state */
export function sign(state) {
  if (state === undefined) return undefined
  const [kind, word] = SIGNS[state] ?? ['none', state]
  return make('span', { class: `sign ${kind}` }, word)
}

/** A list of names and values; what has no value is left out. @param {readonly (readonly [string, Child])[]} pairs */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== undefined && value !== false && value !== '')
  return make(
    'dl',
    { class: 'facts' },
    ...known.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]),
  )
}
