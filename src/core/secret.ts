/** A value that cannot print itself: `String()`, `JSON.stringify` and `util.inspect` all give `[redacted]`. */
export interface Secret {
  /** The value in the clear. Every call is a place to review: only the wire and the masker need it. */
  reveal(): string
  /** The last four characters, so that people can tell two keys apart. */
  masked(): string
}

/** Symbol that Node's `util.inspect` looks for; named here because `core` does not import Node. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** Wraps a secret value. The value lives in the closure, so spreading or cloning the object never copies it. */
export function createSecret(value: string): Secret {
  const redacted = (): string => '[redacted]'
  return Object.freeze({
    reveal: () => value,
    masked: () => maskSecret(value),
    toString: redacted,
    toJSON: redacted,
    [INSPECT]: redacted,
  })
}

/** `…` and the last four characters; nothing of a value too short for that to hide it. */
export function maskSecret(value: string): string {
  return value.length >= 12 ? `…${value.slice(-4)}` : '…'
}
