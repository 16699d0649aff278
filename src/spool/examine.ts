import { statSync } from 'node:fs'
import { spoolExists, spoolFiles } from './files.ts'
import { storeProblem, type StoreProblem } from './errors.ts'
import { examineStore } from './store.ts'

const NO_FILE: StoreProblem = {
  kind: 'unavailable',
  reason: 'spool.db in the directory of PAGERDUTY_SPOOL is no file',
}

/**
 * What is wrong with the store of a spool; undefined where nothing is, or nothing was ever kept there. It is only read: a
 * damaged one is left to the process that uses it next.
 */
export async function examineSpool(directory: string): Promise<StoreProblem | undefined> {
  if (!spoolExists(directory)) return undefined
  const { store } = spoolFiles(directory)
  const sqlite = await import('node:sqlite')
  try {
    if (!statSync(store).isFile()) return NO_FILE // a pipe would be waited for
    examineStore(sqlite, store)
    return undefined
  } catch (error) {
    const problem = storeProblem(error)
    if (problem === undefined) throw error
    return problem.kind === 'busy' ? undefined : problem
  }
}
