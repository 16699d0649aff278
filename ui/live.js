/** @import { Change } from './shapes.d.ts' */

/** When to reconnect after the browser itself has given up. */
const RETRY_MS = 3000

/**
 * Follows what changes. The browser reconnects automatically and says what it saw last; the relay sends what was missed, or
 * `reset`.
 * @param {object} on
 * @param {(change: Change) => void} on.change
 * @param {() => void} on.reset everything has to be read again
 * @param {(state: string) => void} on.state `live`, or in words why not
 */
export function follow({ change, reset, state }) {
  /** @type {EventSource} */
  let source
  /** @type {number | undefined} */
  let timer
  const open = () => {
    source = new EventSource('/events/live')
    source.onopen = () => state('live')
    source.onerror = () => {
      state('Not connected')
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, RETRY_MS)
    }
    source.addEventListener('change', (event) => change(JSON.parse(event.data)))
    source.addEventListener('reset', reset)
    source.addEventListener('bye', () => state('Shutting down'))
  }
  open()
  return () => {
    clearTimeout(timer)
    source.close()
  }
}
