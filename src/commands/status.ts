import { Failure } from '../core/failure.ts'
import type { DeploymentOutcome } from '../core/summary.ts'

/** Words that CIs use for how a job ended. */
const WORDS: Readonly<Record<string, DeploymentOutcome>> = {
  success: 'success',
  succeeded: 'success',
  passed: 'success',
  failure: 'failure',
  failed: 'failure',
  error: 'failure',
  cancelled: 'cancelled',
  canceled: 'cancelled',
}

/** What `--status` says; an exit status (`$?`) is kept for the event. */
export interface Status {
  readonly outcome: DeploymentOutcome
  readonly exitCode?: number
}

/** @throws Failure of kind `usage` for an unknown word */
export function parseStatus(text: string): Status {
  const word = WORDS[text.toLowerCase()]
  if (word !== undefined) return { outcome: word }
  if (/^\d{1,3}$/.test(text) && Number(text) <= 255) {
    return { outcome: Number(text) === 0 ? 'success' : 'failure', exitCode: Number(text) }
  }
  throw new Failure('usage', 'must be success, failure, cancelled or an exit status from 0 to 255')
}
