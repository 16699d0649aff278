import { byId, make } from './dom.js'

/**
 * Asks somebody to confirm; resolves with whether they did.
 * @param {string} title
 * @param {readonly Node[]} body
 * @param {string} [confirm] text of the button; there is none without
 * @returns {Promise<boolean>}
 */
export function confirmBy(title, body, confirm) {
  const dialog = /** @type {HTMLDialogElement} */ (byId('dialog'))
  byId('dialog-title').textContent = title
  byId('dialog-body').replaceChildren(...body)
  byId('dialog-confirm').textContent = confirm ?? ''
  byId('dialog-confirm').hidden = confirm === undefined
  byId('dialog-cancel').textContent = confirm === undefined ? 'Close' : 'Cancel'
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
  })
}

/** @param {string} title @param {string} text */
export function tell(title, text) {
  return confirmBy(title, [make('p', {}, text)])
}

/** Copies a text, or shows it to be copied if the browser does not allow that. @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    await tell('Copied', text)
  } catch {
    const area = make('textarea', { readonly: true, rows: 8, 'aria-label': 'Text to copy' })
    area.value = text
    const closed = confirmBy('Copy this', [area])
    area.select()
    await closed
  }
}
