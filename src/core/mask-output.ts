import { createKnownSearch } from './find-known.ts'
import { maskRanges, type Range } from './ranges.ts'
import { findSecretShapes } from './secret-shapes.ts'

/** What stands where something secret stood. */
const MASK = '[masked]'

/** Searches that were made, by the list of secrets: a relay masks many outputs with the same. */
const searches = new WeakMap<readonly string[], (text: string) => Range[]>()

/** A text without the given secrets, in any usual encoding, and without whatever has the shape of one. */
export function maskOutput(text: string, secrets: readonly string[]): string {
  const search = searches.get(secrets) ?? createKnownSearch(secrets)
  searches.set(secrets, search)
  return maskRanges(text, [...search(text), ...findSecretShapes(text)], MASK)
}

/* oxlint-disable no-control-regex -- control characters are what these two look for */
// CSI, OSC (ended by BEL or ST) and the other escape sequences of ECMA-48; then what is left of control characters.
const ESCAPE_SEQUENCE =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[PX^_][^\u001b]*\u001b\\|[ -/]*[0-~])/g
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** A text without terminal escape sequences and control characters; tabs and line ends stay. */
export function stripControls(text: string): string {
  return text.replaceAll(ESCAPE_SEQUENCE, '').replaceAll(CONTROL, '')
}
