import { parseArgs } from 'node:util'
import type { Options } from '../config/gather.ts'
import { SETTING_LIST } from '../config/settings.ts'
import { Failure } from '../core/failure.ts'

/** Every command and what it does, in the order of the help. */
export const COMMANDS = {
  success: 'change event, then resolve of the failure alert; the default',
  failure: 'trigger of the failure alert',
  change: 'one change event from options only',
  trigger: 'one alert from options only; prints its dedup key',
  acknowledge: 'acknowledges an alert',
  resolve: 'resolves an alert',
  send: 'one event written as PagerDuty JSON: a FILE, or stdin',
  help: 'this page, or that of one COMMAND',
} as const satisfies Record<string, string>

export type CommandName = keyof typeof COMMANDS

/** What a command line says, before any value is looked at. */
export interface CommandLine {
  /** Absent where no command is named: `PAGERDUTY_STATUS` or `success` decides. */
  readonly command?: CommandName
  readonly operands: readonly string[]
  readonly options: Options
}

/** What the image's users and Codeship's steps put in front: `command: pagerduty-alert success`. */
const OWN_NAME = /^(?:.*\/)?pagerduty(?:-alert|\.sh)$/

/**
 * Reads a command line.
 * @param argv the arguments without the interpreter and the script
 * @throws Failure of kind `usage` that lists everything wrong with it
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const words = OWN_NAME.test(argv[0] ?? '') ? argv.slice(1) : [...argv]
  // Codeship demands a `command`; `command: true` is the usual way to give none.
  const args = words.length === 1 && words[0] === 'true' ? [] : words
  const problems: string[] = []
  const { tokens, positionals } = parseArgs({
    args,
    options: OPTIONS,
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const options: Record<string, string[] | true> = {}
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const problem = addOption(options, token)
    if (problem !== undefined) problems.push(problem)
  }
  const isHelp = options.help === true && positionals[0] !== 'help'
  const [name, ...operands] = isHelp ? ['help', ...positionals] : positionals
  // The value of an unknown option would be taken for a command, so that is looked at only when options are right.
  const command = problems.length === 0 ? findCommand(name, problems) : undefined
  const maxOperands = command === 'send' || command === 'help' ? 1 : 0
  if (command !== undefined && operands.length > maxOperands)
    problems.push(`${command} takes ${ARITY[maxOperands]}`)
  if (problems.length > 0) throw new Failure('usage', `${problems.join('\n')}\nsee pagerduty-alert --help`)
  return { ...(command && { command }), operands, options }
}

const ARITY = ['no argument', 'one argument at most'] as const

const TAKES_VALUE: ReadonlyMap<string, boolean> = new Map([
  ...SETTING_LIST.flatMap(({ option, value }): [string, boolean][] =>
    option ? [[option, value !== undefined]] : [],
  ),
  ['help', false],
  ['version', false],
])

const SHORT: Readonly<Record<string, string>> = { help: 'h', version: 'V' }

const OPTIONS = Object.fromEntries(
  [...TAKES_VALUE].map(([name, takesValue]) => {
    const short = SHORT[name]
    return [name, { type: takesValue ? 'string' : 'boolean', ...(short && { short }) }]
  }),
) as Record<string, { type: 'string' | 'boolean'; short?: string }>

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
  readonly inlineValue: boolean | undefined
}

/** Adds one option; returns what is wrong with it. Its value is never repeated: it may be a secret. */
function addOption(options: Record<string, string[] | true>, token: OptionToken): string | undefined {
  const { name, rawName, value, inlineValue } = token
  const takesValue = TAKES_VALUE.get(name)
  if (takesValue === undefined) return `unknown option ${rawName}${suggestion(name)}`
  if (!takesValue) {
    options[name] = true
    return value === undefined ? undefined : `${rawName} takes no value`
  }
  if (value === undefined || (inlineValue === false && /^-./.test(value))) {
    return `${rawName} needs a value (${rawName}=VALUE where it starts with a dash)`
  }
  options[name] = [...(Array.isArray(options[name]) ? options[name] : []), value]
  return undefined
}

function findCommand(name: string | undefined, problems: string[]): CommandName | undefined {
  if (name === undefined) return undefined
  if (Object.hasOwn(COMMANDS, name)) return name as CommandName
  // A word with digits may be a key put in the wrong place, so it is not repeated.
  const shown = /^[a-z][a-z._-]{0,30}$/i.test(name) ? ` ${name}` : ''
  problems.push(`unknown command${shown}; known are ${Object.keys(COMMANDS).join(', ')}`)
  return undefined
}

/** The option that a misspelt one is closest to, if any is close. */
function suggestion(name: string): string {
  const close = [...TAKES_VALUE.keys()].find(
    (known) =>
      name.length > 2 &&
      (known.replaceAll('-', '') === name.toLowerCase().replaceAll(/[-_]/g, '') ||
        editDistance(known, name) <= 2),
  )
  return close === undefined ? '' : `; did you mean --${close}?`
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
