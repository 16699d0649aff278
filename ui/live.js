/** @import { Change } from './shapes.d.ts' */

/** When the browser itself has given up. */
const RETRY_MS = 3000

/**
 * Follows what changes. The browser reconnects automatically and says what it saw last; the relay sends what was missed, or
 * `reset`.
 * @param {object} on
 * @param {(change: Change) => void} on.change
 * @param {() => void} on.reset everything has to be read again
 * @param {(state: 'live' | 'lost' | 'ending') => void} on.state
 * @param {() => void} on.refused
 */
export function follow({ change, reset, state, refused }) {
  /** @type {EventSource | undefined} */
  let source
  /** @type {number | undefined} */
  let timer
  let wasLost = false
  const open = () => {
    source = new EventSource('/events/live')
    source.addEventListener('open', () => {
      state('live')
      if (wasLost && source !== undefined) reset()
      wasLost = false
    })
    source.addEventListener('change', (event) => change(JSON.parse(event.data)))
    source.addEventListener('reset', reset)
    source.addEventListener('bye', () => state('ending'))
    source.addEventListener('error', () => {
      state('lost')
      if (source?.readyState !== EventSource.CLOSED) return
      wasLost = true
      timer = setTimeout(open, RETRY_MS)
      refused()
    })
  }
  open()
  return () => {
    clearTimeout(timer)
    source?.close()
  }
}
