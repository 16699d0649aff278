import { COMMANDS } from '../src/cli/command-table.ts'
import { SETTING_LIST } from '../src/config/settings.ts'
import { describeSetting, SETTING_GROUPS } from '../src/config/setting.ts'
import { TEMPLATE_NAMES } from '../src/core/summary.ts'
import { fillIn } from './fill-in.ts'

/** `docs/configuration.md` with its lists from the tables of commands and settings; a test compares it with the file. */
export function configurationPage(page: string): string {
  const commands = Object.entries(COMMANDS).map(([name, { does }]) => `| \`${name}\` | ${does} |`)
  const sections = Object.entries(SETTING_GROUPS).map(([group, title]) => {
    const rows = SETTING_LIST.filter((setting) => setting.group === group).map((setting) => {
      const { option, variable, value, secret } = setting
      const flag = option === undefined ? '' : `\`--${option}${value === undefined ? '' : ` ${value}`}\``
      const names =
        variable === undefined ? '' : `\`${variable}\`${secret === true ? `, \`${variable}_FILE\`` : ''}`
      return `| ${escapeCell(flag)} | ${names} | ${escapeCell(describeSetting(setting))} |`
    })
    return `## ${title}\n\n| option | variable | |\n|---|---|---|\n${rows.join('\n')}`
  })
  return fillIn(page, {
    commands: `| command | does |\n|---|---|\n${commands.join('\n')}`,
    settings: sections.join('\n\n'),
    'template names': TEMPLATE_NAMES.map((name) => `\`{{${name}}}\``).join(', '),
  })
}

function escapeCell(text: string): string {
  return text.replaceAll('|', String.raw`\|`)
}
