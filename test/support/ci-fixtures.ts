import { readFileSync } from 'node:fs'
import type { Build } from '../../src/core/build.ts'

/** An environment, the build that it is, and what the event file holds that it names, where it names one. */
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
