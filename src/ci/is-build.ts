import type { Build, Environment } from '../core/build.ts'
import { isSet } from './fields.ts'

/** Whether the program runs in a CI build: `CI` is set, as nearly every CI does, or anything is known of the build. */
export function isBuild(env: Environment, build: Build): boolean {
  return isSet(env['CI']) || Object.keys(build).some((field) => field !== 'origins')
}
