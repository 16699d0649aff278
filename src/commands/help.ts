import { SETTING_LIST, type Setting, type SettingGroup } from '../config/settings.ts'
import { Failure } from '../core/failure.ts'
import { version } from '../version.ts'
import { COMMANDS, type CommandName } from './args.ts'

const TITLE: Readonly<Record<SettingGroup, string>> = {
  event: 'What the event says',
  delivery: 'How it is sent',
  printing: 'What is printed',
}

const EXAMPLES: Readonly<Record<CommandName, string>> = {
  success: 'pagerduty-alert success --environment production',
  failure: 'pagerduty-alert failure --environment production --severity critical',
  change: 'pagerduty-alert change --summary "Feature flag checkout-v2 switched on"',
  trigger: 'key=$(pagerduty-alert trigger --summary "Migration is stuck" --severity warning)',
  acknowledge: 'pagerduty-alert acknowledge --dedup-key "$key"',
  resolve: 'pagerduty-alert resolve --dedup-key "$key"',
  send: 'pagerduty-alert send event.json',
  help: 'pagerduty-alert help failure',
}

/**
 * The help, printed from the tables of commands and settings.
 * @param name one command's page, or the overview where absent
 * @throws Failure of kind `usage` for an unknown command
 */
export function helpText(name: string | undefined): string {
  if (name === undefined) return overview()
  if (!Object.hasOwn(COMMANDS, name)) {
    throw new Failure('usage', `there is no such command; known are ${Object.keys(COMMANDS).join(', ')}`)
  }
  return commandPage(name as CommandName)
}

function overview(): string {
  const commands = Object.entries(COMMANDS).map(([name, does]): [string, string] => [name, does])
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
"Events API V2" integration. Exit status: 0 accepted, 64 usage, 65 refused by PagerDuty,
70 a bug, 75 not delivered in time, 78 configuration.
`
}

const OPTIONS_TITLE = 'Options (each has a variable, see COMMAND --help):'

function commandPage(name: CommandName): string {
  const usage = name === 'send' ? 'send [FILE | -]' : name === 'help' ? 'help [COMMAND]' : name
  const head = `pagerduty-alert ${usage} [options]\n\n  ${COMMANDS[name]}\n\nExample:\n  ${EXAMPLES[name]}\n`
  if (name === 'help') return head
  const groups = Object.entries(TITLE).map(([group, title]) => {
    const settings = SETTING_LIST.filter((setting) => setting.group === group)
    return `${title}:\n${table(settings.map((setting) => [settingName(setting), setting.help]))}\n`
  })
  return `${head}\n${groups.join('\n')}`
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
