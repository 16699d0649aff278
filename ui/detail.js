import { ask } from './api.js'
import { confirmBy } from './dialog.js'
import { button, link, make, replace } from './dom.js'

/** @import { Child } from './dom.js' */
/** @import { View } from './page.js' */

/**
 * Everything about one thing, as it is shown. What has no value is left out.
 * @typedef {object} Detail
 * @property {string} title
 * @property {Readonly<Record<string, Child | readonly Child[]>>} facts
 * @property {readonly Child[]} [buttons]
 * @property {readonly Child[]} more
 */

/**
 * One thing with everything about it.
 * @template T
 * @param {'deliveries' | 'deployments'} view the list that it is in
 * @param {string} path
 * @param {(found: T) => Detail} describe
 * @param {View['changed']} [changed] default: any change matters
 * @returns {View}
 */
export function createDetail(view, path, describe, changed = () => true) {
  const element = make('section')
  const load = async () => {
    const { title, facts, buttons = [], more } = describe(await ask(path))
    const list = factList(facts)
    replace(element, [
      make('p', {}, link(`#${view}`, `‹ All ${view}`)),
      make('h2', { className: 'big' }, title),
      list,
      make(
        'p',
        { className: 'buttons' },
        buttons,
        button('Copy as text', () =>
          copy([title, ...[...list.children].map(plainText), location.href].join('\n')),
        ),
      ),
      ...more,
    ])
  }
  return { title: path.slice(1), element, load, changed }
}

/** @param {Detail['facts']} facts */
export function factList(facts) {
  const known = Object.entries(facts).filter(([, value]) => value)
  const rows = known.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value)))
  return make('dl', { className: 'facts' }, rows)
}

/** A part with a heading and a text as it is. @param {string} title @param {string} text */
export function textPart(title, text) {
  return make('section', {}, make('h2', {}, title), make('pre', {}, text))
}

/** What an element says, with whole times and addresses. @param {Node} node @returns {string} */
function plainText(node) {
  if (node instanceof HTMLTimeElement) return node.dateTime
  if (node instanceof HTMLAnchorElement && node.rel) return node.href
  return node.hasChildNodes() ? [...node.childNodes].map(plainText).join(' ') : (node.textContent ?? '')
}

/** Copies a text for a chat, and shows it. @param {string} text */
function copy(text) {
  const area = make('textarea', { value: text, readOnly: true, rows: 12, ariaLabel: 'Text' })
  const closed = confirmBy('Copied', [area])
  area.select()
  // oxlint-disable-next-line typescript/no-deprecated -- the modern way needs https, which few relays have
  document.execCommand('copy')
  return closed
}
