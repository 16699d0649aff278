import type { Options } from '../config/sources.ts'
import { SETTING_LIST } from '../config/settings.ts'
import { Failure } from '../core/failure.ts'
import {
  COMMAND_NAMES,
  COMMANDS,
  findCommand,
  takesSetting,
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
  const problems: string[] = []
  const { options: given, positionals } = tokenize(end === -1 ? args : args.slice(0, end), {
    takesValue: (name) => TAKES_VALUE.get(name),
    short: SHORT,
  })
  const options: Record<string, string[] | true> = {}
  for (const token of given) {
    const problem = addOption(options, token)
    if (problem !== undefined) problems.push(problem)
  }
  const isHelp = options.help === true && positionals[0] !== 'help'
  const [name, ...plainWords] = isHelp ? ['help', ...positionals] : positionals
  const afterDashes = isHelp || end === -1 ? [] : args.slice(end + 1)
  // The value of an unknown option would be taken for a command, so look for the command only if the options are right.
  const command = problems.length === 0 ? readCommand(name, problems) : undefined
  const takesCommand = command === 'run' || command === 'watch'
  const operands = takesCommand ? plainWords : [...plainWords, ...afterDashes]
  if (problems.length === 0)
    problems.push(...strayWords(command, isHelp || end === -1 ? undefined : afterDashes))
  if (command !== undefined && problems.length === 0) problems.push(...misfits(command, operands, options))
  if (problems.length > 0) throw new Failure('usage', `${problems.join('\n')}\nsee pagerduty-alert --help`)
  return { ...(command && { command }), operands, options, ...(takesCommand && { commandLine: afterDashes }) }
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
  if (takesValue === undefined) return `unknown option ${rawName}${suggestion(name)}`
  if (!takesValue) {
    options[name] = true
    return value === undefined ? undefined : `${rawName} takes no value`
  }
  if (value === undefined || (!isInline && /^-./.test(value))) {
    return `${rawName} needs a value (write ${rawName}=VALUE if it starts with a dash)`
  }
  options[name] = [...(Array.isArray(options[name]) ? options[name] : []), value]
  return undefined
}

function readCommand(name: string | undefined, problems: string[]): CommandName | undefined {
  if (name === undefined) return undefined
  const command = findCommand(name)
  // A word with digits may be a key put in the wrong place, so it is not repeated.
  const shown = /^[a-z][a-z._-]{0,30}$/i.test(name) ? ` ${name}` : ''
  if (command === undefined) problems.push(`unknown command${shown}; known are ${COMMAND_NAMES}`)
  return command
}

/** Problems with the words after `--`, if it is there: the command of `run` or `watch`, or operands of other commands. */
function strayWords(name: CommandName | undefined, words?: readonly string[]): string[] {
  if (name === 'watch')
    return words?.length === 0 ? ['watch needs its command after --: watch -- CMD [ARG…]'] : []
  if (name === 'run')
    return words !== undefined && words.length > 0
      ? []
      : ['run needs its command after --: run -- CMD [ARG…]']
  const takesOperands = name !== undefined && COMMANDS[name].maxOperands > 0
  return takesOperands || !words?.length ? [] : ['only run and watch take a command after --']
}

/** Problems with options and operands that the command does not take. */
function misfits(name: CommandName, operands: readonly string[], options: Options): string[] {
  const { maxOperands }: CommandInfo = COMMANDS[name]
  const tooMany = operands.length > maxOperands
  const arity = maxOperands === 0 ? 'no argument' : 'one argument at most'
  const foreign = SETTING_LIST.filter(
    (setting) => setting.option && options[setting.option] && !takesSetting(name, setting),
  )
  return [
    ...(tooMany ? [`${name} takes ${arity}`] : []),
    ...(name === 'help' ? [] : foreign.map(({ option }) => `--${option} is not an option of ${name}`)),
    ...(name === 'run' && options['urgency'] && !options['watch'] ? ['--urgency needs --watch'] : []),
    ...(name === 'success' && options['status']
      ? [`--status chooses the command, so give only one of them`]
      : []),
  ]
}

/** The option that a misspelt one is closest to, if any is close. */
function suggestion(name: string): string {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, '')
  const [closest] = [...TAKES_VALUE.keys()]
    .map((known) => ({
      known,
      // People rarely mistype the first letter.
      distance: editDistance(plain(known), plain(name)) + (known[0] === plain(name)[0] ? 0 : 1),
    }))
    .toSorted((a, b) => a.distance - b.distance)
  const isClose = closest !== undefined && closest.distance <= 2 && name.length > 2
  return isClose ? `; did you mean --${closest.known}?` : ''
}

/** Levenshtein distance, for words as short as options. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [row, letter] of a.split('').entries()) {
    const current = [row + 1]
    for (const [column, other] of b.split('').entries()) {
      const replaced = (previous[column] ?? 0) + (letter === other ? 0 : 1)
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1))
    }
    previous = current
  }
  return previous.at(-1) ?? 0
}
