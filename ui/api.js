/** Smaller differences between clocks do not count: an answer's date has whole seconds, and it takes a while to arrive. */
const GRAIN_MS = 10_000
let aheadMs = 0

/** The time by the relay's clock, as far as its answers show it: all times on the page are the relay's. */
export function now() {
  return Date.now() + aheadMs
}

/**
 * Asks the relay.
 * @template T
 * @param {string} path
 * @param {unknown} [body] makes it a POST
 * @param {string} [method]
 * @returns {Promise<T>} rejects with an Error whose `cause` is the status, if the relay answered
 */
export async function ask(path, body, method = body ? 'POST' : 'GET') {
  const request = {
    method,
    headers: { 'content-type': 'application/json' },
    signal: AbortSignal.timeout(20_000),
    body: JSON.stringify(body),
  }
  const response = await fetch(path, request).catch(() => {
    throw new Error('The relay cannot be reached.')
  })
  const date = /** @type {string} */ (response.headers.get('date'))
  aheadMs = Math.round((Date.parse(date) - Date.now()) / GRAIN_MS || 0) * GRAIN_MS
  const json = /** @type {T & { detail?: string }} */ (await response.json().catch(() => ({})))
  if (response.ok) return json
  throw new Error(json.detail ?? `The relay answered ${response.status}.`, { cause: response.status })
}

/**
 * A path with the parameters that have a value.
 * @param {string} path
 * @param {Readonly<Record<string, string | number | undefined>>} query
 */
export function withQuery(path, query) {
  const given = Object.entries(query).filter(([, value]) => value)
  return given.length > 0 ? `${path}?${new URLSearchParams(/** @type {string[][]} */ (given))}` : path
}
