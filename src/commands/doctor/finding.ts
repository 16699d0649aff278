import { EXIT_CODE, type Failure, type FailureKind } from '../../core/failure.ts'

/** One line of the doctor's checklist. */
export interface Finding {
  readonly check: string
  readonly status: 'ok' | 'warning' | 'failed'
  readonly detail: string
  /** What to do; always present if something failed. */
  readonly advice?: string
  /** Exit status of what failed. */
  readonly exitCode?: number
}

export function ok(check: string, detail: string): Finding {
  return { check, status: 'ok', detail }
}

export function warning(check: string, detail: string, advice: string): Finding {
  return { check, status: 'warning', detail, advice }
}

/** @param found what is wrong, and what to do about it */
export function failed(check: string, kind: FailureKind, found: { detail: string; advice: string }): Finding {
  return { check, status: 'failed', ...found, exitCode: EXIT_CODE[kind] }
}

/** A failure whose message says what to do, on its last lines if it has several. */
export function fromFailure(check: string, { kind, message }: Failure): Finding {
  const [detail = '', ...advice] = message.split('\n')
  return failed(check, kind, { detail, advice: advice.join(' ') || 'see above' })
}
