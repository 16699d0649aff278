import type { Build, Environment } from '../core/build.ts'

/** Reads a small file whole; throws Node's errors. */
export type ReadFile = (path: string) => string

/** A CI: how to know it, and how to read what it says about a build. */
export interface Provider {
  readonly matches: (env: Environment) => boolean
  /** @param readFile for a CI that tells some of it in a file */
  readonly read: (env: Environment, readFile: ReadFile) => Build
  /** Variables that it sets under Codeship's names and with another meaning. */
  readonly ownNames?: readonly string[]
}
