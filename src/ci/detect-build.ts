import type { Build, Environment } from '../core/build.ts'
import { readCodeship } from './codeship.ts'

/** What the CI says about the build under way; nothing is known outside any CI, and nothing fails for lack of one. */
export function detectBuild(env: Environment): Build {
  return readCodeship(env)
}
