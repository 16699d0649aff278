import { SETTING_GROUPS, type Setting } from '../config/settings/setting.ts'
import { SETTING_LIST } from '../config/settings.ts'
import { Failure } from '../core/failure.ts'
import { version } from '../version.ts'
import {
  COMMAND_NAMES,
  COMMANDS,
  findCommand,
  takesSetting,
  type CommandInfo,
  type CommandName,
} from './catalog.ts'

/**
 * The help, printed from the tables of commands and settings.
 * @param name one command's page, or the overview where absent
 * @throws Failure of kind `usage` for an unknown command
 */
export function helpText(name: string | undefined): string {
  if (name === undefined) return overview()
  const command = findCommand(name)
  if (command === undefined)
    throw new Failure('usage', `there is no such command; known are ${COMMAND_NAMES}`)
  return commandPage(command)
}

function overview(): string {
  const commands = Object.entries(COMMANDS).map(([name, { does }]): [string, string] => [name, does])
  return `pagerduty-alert ${version}: tells PagerDuty what a deployment did

Usage: pagerduty-alert [COMMAND] [options]

${table(commands)}

${OPTIONS_TITLE}
${table(optionRows(SETTING_LIST))}
${table([
  ['--help, -h', 'this page; COMMAND --help for more of one'],
  ['--version, -V', 'the version'],
])}

The key comes from PAGERDUTY_TOKEN or PAGERDUTY_TOKEN_FILE: the Integration Key of an
"Events API V2" integration, or a REST API token with PAGERDUTY_SERVICE_ID. Exit status:
0 accepted, 1 gate: open incidents, 64 usage, 65 refused by PagerDuty, 70 a bug,
75 not delivered in time, 78 configuration.
`
}

const OPTIONS_TITLE = 'Options (each has a variable, see COMMAND --help):'

function commandPage(name: CommandName): string {
  const { does, operands, example, groups }: CommandInfo = COMMANDS[name]
  const usage = [name, groups.length > 0 ? '[options]' : '', operands].filter(Boolean).join(' ')
  const sections = groups.map((group) => {
    const settings = SETTING_LIST.filter((setting) => setting.group === group && takesSetting(name, setting))
    return `\n${SETTING_GROUPS[group]}:\n${table(settings.map((setting) => [settingName(setting), setting.help]))}\n`
  })
  return `pagerduty-alert ${usage}\n\n  ${does}\n\nExample:\n  ${example}\n${sections.join('')}`
}

function optionRows(settings: readonly Setting[]): [string, string][] {
  return settings.flatMap((setting): [string, string][] => {
    const { option, value, help } = setting
    return option === undefined ? [] : [[value === undefined ? `--${option}` : `--${option} ${value}`, help]]
  })
}

function settingName({ option, variable, value, secret }: Setting): string {
  const flag = option === undefined ? '' : `--${option}${value === undefined ? '' : ` ${value}`}`
  const names = [flag, variable, secret === true ? `${variable}_FILE` : ''].filter(Boolean)
  return names.join(', ')
}

/** Two columns; a left cell too long for its column gets a line of its own. */
function table(rows: readonly (readonly [string, string])[]): string {
  const width = 26
  return rows
    .map(([left, right]) => {
      const gap = left.length < width ? left.padEnd(width) : `${left}\n  ${' '.repeat(width)}`
      return `  ${gap}${right}`
    })
    .join('\n')
}
