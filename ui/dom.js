import { now } from './api.js'

/* Makes elements. Text comes from outside: it becomes text and nothing else. */

/** @typedef {Node | string | number | undefined | false} Child */

/**
 * An element with properties and children. Children without a value are left out.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Partial<Omit<HTMLElementTagNameMap[T], 'children'>>} properties
 * @param {...(Child | readonly Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties)
  const present = /** @type {(Node | string)[]} */ (children.flat().filter((child) => child || child === 0))
  element.append(...present)
  return element
}

/** @param {string} text @param {() => unknown} onclick @param {string | null} [ariaLabel] if the text says too little */
export function button(text, onclick, ariaLabel = null) {
  return make('button', { type: 'button', onclick, ariaLabel }, text)
}

/** @param {string} href @param {string} text */
export function link(href, text) {
  return make('a', { href }, text)
}

/**
 * Joins the texts that have a value. One that is written from right to left, or claims to be, does not reorder the others.
 * @param {string} separator @param {...(string | number | undefined | false)} texts
 */
export function join(separator, ...texts) {
  return texts
    .filter(Boolean)
    .map((text) => (/[\u0590-\u08ff\u202a-\u202e]/.test(`${text}`) ? `\u2068${text}\u2069` : text))
    .join(separator)
}

/**
 * A text in a list, cut after three lines.
 * @param {string} text
 */
export function clip(text) {
  return text && make('div', { className: 'clip' }, text)
}

/** @param {string} text */
export function code(text) {
  return make('code', {}, text)
}

/**
 * A paragraph that says that something is not there.
 * @param {string} text
 */
export function note(text) {
  return make('p', { className: 'empty' }, text)
}

/** A part of the page. @param {string} id */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id))
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
 * Whether somebody points at an element, or has the focus in it: then nothing in it may move.
 * @param {HTMLElement} element
 */
export function isInUse(element) {
  return element.matches(':hover') || element.contains(document.activeElement)
}

/**
 * Replaces the children of an element. The focus stays in its place.
 * @param {HTMLElement} element @param {readonly Child[]} children
 */
export function replace(element, children) {
  const targets = () => all('a, button', element)
  const place = targets().indexOf(/** @type {HTMLElement} */ (document.activeElement))
  element.replaceChildren(...make('div', {}, children).childNodes)
  if (place >= 0)
    targets()
      .at(Math.min(place, targets().length - 1))
      ?.focus({ preventScroll: true })
}

/**
 * A link to another site; plain text if the address is not http or https.
 * @param {string | undefined} href
 * @param {string} text
 */
export function webLink(href, text) {
  if (!href) return undefined
  return /^https?:\/\//i.test(href)
    ? make('a', { href, rel: 'noopener noreferrer' }, text)
    : `${text}: ${href}`
}

/**
 * A time with its zone, and how long ago that is.
 * @param {string | undefined} iso
 */
export function when(iso) {
  if (!iso) return undefined
  return make('time', { dateTime: iso, title: String(new Date(iso)) }, ago(iso))
}

/** @param {string | number} time */
export function clockTime(time) {
  return new Date(time).toTimeString().slice(0, 5)
}

/** Writes how long ago every time on the page is now. */
export function refreshTimes() {
  for (const element of all('time'))
    element.textContent = ago(/** @type {HTMLTimeElement} */ (element).dateTime)
}

/** A time that is farther away, because of a wrong clock or a long history, is better shown as a date. */
const FAR_MS = 400 * 86_400_000

/**
 * "4 min ago", "in 20 s", "2025-01-31".
 * @param {string} iso
 */
export function ago(iso) {
  const ms = now() - Date.parse(iso)
  const away = Math.abs(ms)
  if (away < 1000) return 'now'
  if (away > FAR_MS) return iso.slice(0, 10)
  const text = span(away, 1)
  return ms < 0 ? `in ${text}` : `${text} ago`
}

const UNITS = /** @type {const} */ ([
  ['s', 60],
  ['min', 60],
  ['h', 24],
  ['d', Infinity],
])

/**
 * A span of time in its largest units.
 * @param {number} ms @param {number} [most] units
 */
export function span(ms, most = 2) {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const texts = []
  let rest = Math.round(ms / 1000)
  for (const [unit, count] of UNITS) {
    if (rest > 0) texts.unshift(rest % count && `${rest % count} ${unit}`)
    rest = Math.floor(rest / count)
  }
  return join(' ', ...texts.slice(0, most))
}

/**
 * "1 event", "2 events".
 * @param {number} count
 * @param {string} noun
 */
export function counted(count, noun) {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** @param {number} count */
export function grouped(count) {
  return count.toLocaleString('en')
}

/** A state as a sign and a word. @type {Readonly<Record<string, string>>} */
const SIGNS = {
  pending: 'wait waiting',
  waiting: 'wait waiting',
  delivered: 'ok delivered',
  dead: 'bad dead',
  started: 'wait running',
  success: 'ok succeeded',
  failure: 'bad failed',
}

/** @param {string | undefined} state */
export function sign(state) {
  if (!state) return undefined
  const [kind, word] = (SIGNS[state] ?? `none ${state}`).split(' ')
  return make('span', { className: `sign ${kind}` }, word)
}
