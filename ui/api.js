/**
 * Asks the relay.
 * @template T
 * @param {string} path
 * @param {unknown} [body] makes it a POST
 * @param {string} [method]
 * @returns {Promise<T>} rejects with an Error whose `cause` is the status; 0 if the relay did not answer
 */
export async function ask(path, body, method = body ? 'POST' : 'GET') {
  const request = {
    method,
    headers: { 'content-type': 'application/json' },
    signal: AbortSignal.timeout(20_000),
    body: body ? JSON.stringify(body) : null,
  }
  const response = await fetch(path, request).catch(() => {
    throw new Error('The relay cannot be reached.', { cause: 0 })
  })
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
