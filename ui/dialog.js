import { byId, make } from './dom.js'

/**
 * Asks somebody to confirm; resolves with whether they did.
 * @param {string} title
 * @param {readonly (Node | string)[]} body
 * @param {string} [confirm] text of the button; there is none without
 * @returns {Promise<boolean>}
 */
export function confirmBy(title, body, confirm) {
  const dialog = /** @type {HTMLDialogElement} */ (byId('dialog'))
  const yes = byId('dialog-confirm')
  byId('dialog-title').textContent = title
  byId('dialog-body').replaceChildren(...body)
  yes.textContent = confirm ?? ''
  yes.hidden = !confirm
  byId('dialog-cancel').textContent = yes.hidden ? 'Close' : 'Cancel'
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === 'yes')
  })
}

/** @param {string} title @param {string} text */
export function tell(title, text) {
  return confirmBy(title, [make('p', {}, text)])
}
