import { readFileSync } from 'node:fs'

/** The files of `schema/` in the order in which they are run; `tables` only if there are none yet. */
export const SQL_FILES = [
  'tables',
  'accepting',
  'delivering',
  'settling',
  'listing',
  'keeping',
  'deployments',
  'deadlines',
  'exporting',
  'relays',
  'roles',
] as const
export type SqlFiles = Readonly<Record<(typeof SQL_FILES)[number], string>>

/** The texts of those files. The bundle has them inside (`rolldown.config.ts` replaces this function). */
export function sqlFiles(): SqlFiles {
  const read = (name: string): string => readFileSync(new URL(`schema/${name}.sql`, import.meta.url), 'utf8')
  return Object.fromEntries(SQL_FILES.map((name) => [name, read(name)])) as SqlFiles
}
