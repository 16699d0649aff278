import { formatOutput, maskOutput } from '../core/mask-output.ts'
import { secretValues } from '../core/secret-values.ts'
import type { CommandResult } from '../core/summary.ts'
import type { Tail } from '../run/output-tail.ts'
import type { Session } from '../cli/session.ts'

/** Longest command line that is shown, in UTF-16 units. */
const MAX_COMMAND_CHARS = 64 * 1024

/**
 * A command's output and command line as its event shows them, with secrets masked. Only a run that shows them loads this
 * file.
 */
export function maskedRun(
  { argv, tail }: { readonly argv: readonly string[]; readonly tail: Tail | undefined },
  { io, config }: Session,
  showsOutput: boolean,
): Pick<CommandResult, 'output' | 'command'> {
  const secrets = [...config.delivery.secrets.map((secret) => secret.reveal()), ...secretValues(io.env)]
  const output = showsOutput ? formatOutput(tail?.text() ?? '', config.run.outputLines, secrets) : undefined
  return {
    ...(output !== undefined && { output }),
    ...(config.run.showCommand && { command: maskOutput(shownCommand(argv), secrets) }),
  }
}

/** The command line up to an argument that would make it too long. */
function shownCommand(argv: readonly string[]): string {
  let length = 0
  const kept = argv.findIndex((word) => (length += word.length + 1) > MAX_COMMAND_CHARS)
  return kept === -1 ? argv.join(' ') : [...argv.slice(0, kept), '…'].join(' ')
}
