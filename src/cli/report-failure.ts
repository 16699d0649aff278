import type { PrintConfig } from '../config/printing.ts'
import { knownSecrets } from '../config/known-secrets.ts'
import { EXIT_CODE, Failure } from '../core/failure.ts'
import { maskSecrets } from '../core/mask-secrets.ts'
import type { Log } from '../log.ts'
import { jsonLine, type Verdict } from './report.ts'
import type { Io } from './session.ts'

interface Reporting {
  readonly io: Pick<Io, 'env' | 'recall' | 'signal' | 'writeOut'>
  readonly log: Log
  readonly printing: PrintConfig
  readonly command: string
}

/** Says why a command failed. @returns the exit status */
export function reportFailure({ io, log, printing, command }: Reporting, failure: Failure): number {
  if (io.signal.aborted) return Number(io.signal.reason)
  const { kind } = failure
  const message = maskSecrets(failure.message, knownSecrets(io.env, io.recall))
  log.error(message)
  if (printing.json) io.writeOut(failureLine(command, { kind, message }, EXIT_CODE[kind]))
  return EXIT_CODE[kind]
}

/** A failure as it is; anything else is a bug. */
export function toFailure(error: unknown, io: Pick<Io, 'env' | 'recall'>): Failure {
  return error instanceof Failure ? error : new Failure('internal', describeBug(error, io), { cause: error })
}

/**
 * What is shown of an error that nobody expected: enough to report it, nothing secret. The text of a syntax error is
 * left out, since it quotes what was parsed.
 */
export function describeBug(error: unknown, { env, recall }: Pick<Io, 'env' | 'recall'>): string {
  const { name, message, stack = '' } = error instanceof Error ? error : new Error(String(error))
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line))
  const title = name === 'SyntaxError' ? name : `${name}: ${message}`
  return maskSecrets(
    ['this is a bug, please report it', title, ...frames].join('\n'),
    knownSecrets(env, recall),
  )
}

/**
 * Nothing was sent: what the user asked for was refused here.
 * @param exitCode what the process ends with; undefined where that is not known yet
 */
export function failureLine(
  command: string,
  { kind, message }: Pick<Failure, 'kind' | 'message'>,
  exitCode: number | undefined,
): string {
  const verdict: Verdict = kind === 'undelivered' || kind === 'internal' ? 'undelivered' : 'refused'
  return jsonLine({ command, outcome: verdict, exitCode, reason: message })
}
