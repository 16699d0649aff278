import type { Options } from '../config/sources.ts'
import { SETTING_LIST } from '../config/settings.ts'
import { Failure } from '../core/failure.ts'
import { closest } from './closest.ts'
import {
  COMMANDS,
  findCommand,
  takesSetting,
  unknownCommand,
  type CommandInfo,
  type CommandName,
} from './command-table.ts'
import { tokenize, type OptionToken } from './tokenize.ts'

/** A parsed command line, before any value is checked. */
export interface CommandLine {
  /** Absent if no command is named: then `PAGERDUTY_STATUS` decides, and in a build the default is `success`. */
  readonly command?: CommandName
  readonly operands: readonly string[]
  readonly options: Options
  /** The command of `run`, or the rollback of `watch`; empty if there is none. */
  readonly commandLine?: readonly string[]
}

/** The program's own name in front, as in Codeship's steps: `command: pagerduty-alert success`. */
const OWN_NAME = /^(?:.*\/)?pagerduty(?:-alert|\.sh)$/

/**
 * Reads a command line.
 * @param argv the arguments without the interpreter and the script
 * @throws Failure of kind `usage` that lists everything wrong with it
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const words = OWN_NAME.test(argv[0] ?? '') ? argv.slice(1) : [...argv]
  // Codeship requires a `command`; `command: true` is the usual way to give none.
  const args = words.length === 1 && words[0] === 'true' ? [] : words
  const end = args.indexOf('--')
  const { options: given, positionals } = tokenize(end === -1 ? args : args.slice(0, end), {
    takesValue: (name) => TAKES_VALUE.get(name),
    short: SHORT,
  })
  const isHelp = positionals[0] !== 'help' && given.some(({ name }) => name === 'help')
  // Without `--` these may be options of the command itself, so whether they are known here means nothing.
  if (!isHelp && end === -1 && positionals[0] === 'run' && positionals.length > 1)
    throw refusal([RUN_NEEDS], 'run')
  const problems: string[] = []
  const options: Record<string, string[] | true> = {}
  for (const token of given) {
    const problem = addOption(options, token)
    if (problem !== undefined) problems.push(problem)
  }
  const [name, ...plainWords] = isHelp ? ['help', ...positionals.slice(0, 1)] : positionals
  const afterDashes = isHelp || end === -1 ? [] : args.slice(end + 1)
  // The value of an unknown option would be taken for a command, so look for the command only if the options are right.
  const command = problems.length === 0 ? readCommand(name, problems) : undefined
  const takesCommand = command === 'run' || command === 'watch'
  const operands = takesCommand ? plainWords : [...plainWords, ...afterDashes]
  if (problems.length === 0)
    problems.push(...strayWords(command, isHelp || end === -1 ? undefined : afterDashes))
  if (command !== undefined && problems.length === 0) problems.push(...misfits(command, operands, options))
  if (problems.length > 0) throw refusal(problems, command ?? findCommand(positionals[0] ?? ''))
  return { ...(command && { command }), operands, options, ...(takesCommand && { commandLine: afterDashes }) }
}

const RUN_NEEDS = 'run needs its command after --: run -- CMD [ARG…]'

function refusal(problems: readonly string[], command: CommandName | undefined): Failure {
  const page = command === undefined || command === 'help' ? '--help' : `help ${command}`
  return new Failure('usage', `${problems.join('\n')}\nsee pagerduty-alert ${page}`)
}

const TAKES_VALUE: ReadonlyMap<string, boolean> = new Map([
  ...SETTING_LIST.flatMap(({ option, value }): [string, boolean][] =>
    option ? [[option, value !== undefined]] : [],
  ),
  ['help', false],
  ['version', false],
])

const SHORT: ReadonlyMap<string, string> = new Map([
  ['h', 'help'],
  ['V', 'version'],
])

/** Adds one option; returns what is wrong with it. Its value is never repeated: it may be a secret. */
function addOption(options: Record<string, string[] | true>, token: OptionToken): string | undefined {
  const { name, rawName, value, isInline } = token
  const takesValue = TAKES_VALUE.get(name)
  if (takesValue === undefined) {
    const known = closest(name, [...TAKES_VALUE.keys()])
    return `unknown option ${rawName}${known === undefined ? '' : `; did you mean --${known}?`}`
  }
  if (!takesValue) {
    options[name] = true
    return value === undefined ? undefined : `${rawName} takes no value`
  }
  if (value === undefined || (!isInline && /^-\D/.test(value))) {
    return `${rawName} needs a value (write ${rawName}=VALUE if it starts with a dash)`
  }
  options[name] = [...(Array.isArray(options[name]) ? options[name] : []), value]
  return undefined
}

function readCommand(name: string | undefined, problems: string[]): CommandName | undefined {
  if (name === undefined) return undefined
  const command = findCommand(name)
  if (command === undefined) problems.push(unknownCommand(name))
  return command
}

/** Problems with the words after `--`, if it is there: the command of `run` or `watch`, or operands of other commands. */
function strayWords(name: CommandName | undefined, words?: readonly string[]): string[] {
  if (name === 'watch')
    return words?.length === 0 ? ['watch needs its command after --: watch -- CMD [ARG…]'] : []
  if (name === 'run') return words !== undefined && words.length > 0 ? [] : [RUN_NEEDS]
  const takesOperands = name !== undefined && COMMANDS[name].maxOperands > 0
  return takesOperands || !words?.length ? [] : ['only run and watch take a command after --']
}

/** Problems with options and operands that the command does not take. */
function misfits(name: CommandName, operands: readonly string[], options: Options): string[] {
  const { maxOperands }: CommandInfo = COMMANDS[name]
  const tooMany = operands.length > maxOperands
  const none = name === 'run' || name === 'watch' ? 'takes no argument before --' : 'takes no argument'
  const arity = maxOperands === 0 ? none : 'takes one argument at most'
  const foreign = SETTING_LIST.filter(
    (setting) => setting.option && options[setting.option] && !takesSetting(name, setting),
  )
  return [
    ...(tooMany ? [`${name} ${arity}`] : []),
    ...(name === 'help' ? [] : foreign.map(({ option }) => `--${option} is not an option of ${name}`)),
    ...(name === 'run' && options['urgency'] && !options['watch'] ? ['--urgency needs --watch'] : []),
    ...(name === 'success' && options['status']
      ? [`--status chooses the command, so give only one of them`]
      : []),
  ]
}
