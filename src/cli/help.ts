import { describeSetting, SETTING_GROUPS, type Setting } from '../config/setting.ts'
import { SETTING_LIST, type SettingName } from '../config/settings.ts'
import { Failure } from '../core/failure.ts'
import { homepage, version } from '../version.ts'
import {
  COMMANDS,
  findCommand,
  takesSetting,
  unknownCommand,
  type CommandInfo,
  type CommandName,
} from './command-table.ts'

/**
 * The help, printed from the tables of commands and settings.
 * @param name the command whose page is printed; if omitted, the overview
 * @throws Failure of kind `usage` for an unknown command
 */
export function helpText(name: string | undefined): string {
  if (name === undefined) return overview()
  const command = findCommand(name)
  if (command === undefined) throw new Failure('usage', unknownCommand(name))
  return commandPage(command)
}

/** Widest line, in characters. */
const WIDTH = 100
/** Where the right column starts: for options, and for commands and exit statuses. */
const OPTION_COLUMN = 28
const WORD_COLUMN = 17

/** The options that the overview shows; the page of a command shows all of its own. */
const COMMON: readonly SettingName[] = [
  'environment',
  'summary',
  'severity',
  'detail',
  'deadline',
  'dryRun',
  'json',
  'verbose',
]

/** What each exit status means; `EXIT_CODE` holds the numbers. */
const EXIT_STATUSES: readonly [string, string][] = [
  ['0', 'PagerDuty, the relay or the spool accepted everything'],
  ['1', 'gate: there are open incidents; watch: a new incident opened'],
  ['64', 'usage: an unknown command or option, an invalid value'],
  ['65', 'PagerDuty refused the event'],
  ['70', 'a bug in this program'],
  ['75', 'not delivered within the deadline, and no spool to keep it'],
  ['78', 'configuration: no key, an unusable key, an unreadable file'],
  ['129, 130, 143', 'interrupted by SIGHUP, SIGINT or SIGTERM before it was delivered'],
  ['run', 'always the status of its command; only --strict may turn a success into 65, 75 or 78'],
]

function overview(): string {
  const commands = Object.entries(COMMANDS).map(([name, { does }]): [string, string] => [name, does])
  const common = SETTING_LIST.filter(({ name }) => COMMON.includes(name))
  return `pagerduty-alert ${version}: tells PagerDuty what a deployment did
${homepage}

Usage: pagerduty-alert [COMMAND] [options]

Example:
  export PAGERDUTY_TOKEN=YourIntegrationKey
  pagerduty-alert run --environment production -- ./deploy.sh

Commands (in a CI build, success is the default):
${table(commands, WORD_COLUMN)}

Common options; "pagerduty-alert help COMMAND" lists all of them, with their variables:
${table([...optionRows(common), ['--help, -h', 'print this page, or the page of the command'], ['--version, -V', 'print the version']])}

PAGERDUTY_TOKEN, or the file that PAGERDUTY_TOKEN_FILE names, holds the Integration Key of an
"Events API V2" integration; or a REST API token, if PAGERDUTY_SERVICE_ID names the service.

Exit status:
${table(EXIT_STATUSES, WORD_COLUMN)}
`
}

function commandPage(name: CommandName): string {
  const { does, operands, example, groups }: CommandInfo = COMMANDS[name]
  const usage = [name, groups.length > 0 ? '[options]' : '', operands].filter(Boolean).join(' ')
  const sections = groups.map((group) => {
    const settings = SETTING_LIST.filter((setting) => setting.group === group && takesSetting(name, setting))
    if (settings.length === 0) return '' // all of them are omitted
    return `\n${SETTING_GROUPS[group]}:\n${table(settings.map((setting) => [settingName(setting), describeSetting(setting)]))}\n`
  })
  return `pagerduty-alert ${usage}\n\n  ${does}\n\nExample:\n  ${example}\n${sections.join('')}`
}

function optionRows(settings: readonly Setting[]): [string, string][] {
  return settings.flatMap((setting): [string, string][] => {
    const { option, value } = setting
    const flag = value === undefined ? `--${option}` : `--${option} ${value}`
    return option === undefined ? [] : [[flag, describeSetting(setting)]]
  })
}

function settingName({ option, variable, value, secret }: Setting): string {
  const flag = option === undefined ? '' : `--${option}${value === undefined ? '' : ` ${value}`}`
  const names = [flag, variable, secret === true ? `${variable}_FILE` : ''].filter(Boolean)
  return names.join(', ')
}

/** Two columns, the right one wrapped; a left cell too long for its column gets a line of its own. */
function table(rows: readonly (readonly [string, string])[], column = OPTION_COLUMN): string {
  const indent = ' '.repeat(column)
  return rows
    .map(([left, right]) => {
      const start = left.length < column - 3 ? `  ${left}`.padEnd(column) : `  ${left}\n${indent}`
      return start + wrap(right, WIDTH - column).join(`\n${indent}`)
    })
    .join('\n')
}

/** The text in lines of at most `width` characters, broken at spaces. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const longer = [...lines.slice(-1), word].join(' ')
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}
