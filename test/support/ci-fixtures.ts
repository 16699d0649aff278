import { readFileSync } from 'node:fs'
import type { Build } from '../../src/core/build.ts'

/** An environment, its build, and the content of the event file that it names, if any. */
export type CiCase = readonly [
  env: Readonly<Record<string, string>>,
  expected: Omit<Build, 'origins'>,
  event?: unknown,
]

/** The cases of one CI in `test/fixtures/ci`. */
export function readFixture(name: string): readonly CiCase[] {
  const url = new URL(`../fixtures/ci/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(url, 'utf8')) as CiCase[]
}
