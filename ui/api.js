/** The relay has refused a request, or could not be reached. */
export class ApiError extends Error {
  /** @param {number} status 0 if there was no answer @param {string} detail */
  constructor(status, detail) {
    super(detail)
    this.status = status
  }
}

/**
 * Asks the relay.
 * @template T
 * @param {string} path
 * @param {{ method?: string, body?: unknown }} [options]
 * @returns {Promise<T>}
 */
export async function ask(path, { method = 'GET', body } = {}) {
  const init =
    body === undefined
      ? { method }
      : { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const response = await fetch(path, init).catch(() => {
    throw new ApiError(0, 'The relay cannot be reached.')
  })
  const text = await response.text()
  const json = /** @type {T & { detail?: string }} */ (text.startsWith('{') ? JSON.parse(text) : {})
  if (!response.ok)
    throw new ApiError(response.status, json.detail ?? `The relay answered ${response.status}.`)
  return json
}

/**
 * A path with the filters that are set.
 * @param {string} path
 * @param {Record<string, string | number | undefined>} query
 */
export function withQuery(path, query) {
  const set = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  )
  return set.length === 0 ? path : `${path}?${new URLSearchParams(set)}`
}
