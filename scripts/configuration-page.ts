import { COMMANDS } from '../src/cli/command-table.ts'
import { SETTING_LIST } from '../src/config/settings.ts'
import { SETTING_GROUPS } from '../src/config/settings/setting.ts'
import { TEMPLATE_NAMES } from '../src/core/summary.ts'

/** `docs/configuration.md`, from the tables of commands and settings; a test compares it with the file. */
export function configurationPage(): string {
  const commands = Object.entries(COMMANDS).map(([name, { does }]) => `| \`${name}\` | ${does} |`)
  const sections = Object.entries(SETTING_GROUPS).map(([group, title]) => {
    const rows = SETTING_LIST.filter((setting) => setting.group === group).map(
      ({ option, variable, value, secret, help }) => {
        const flag = option === undefined ? '' : `\`--${option}${value === undefined ? '' : ` ${value}`}\``
        const names =
          variable === undefined ? '' : `\`${variable}\`${secret === true ? `, \`${variable}_FILE\`` : ''}`
        return `| ${escapeCell(flag)} | ${names} | ${escapeCell(help)} |`
      },
    )
    return `## ${title}\n\n| option | variable | |\n|---|---|---|\n${rows.join('\n')}\n`
  })
  return `${HEAD}\n## Commands\n\n| command | does |\n|---|---|\n${commands.join('\n')}\n\n${sections.join('\n')}\n${TAIL}`
}

function escapeCell(text: string): string {
  return text.replaceAll('|', String.raw`\|`)
}

const HEAD = `# Configuration

<!-- Printed from the program's own tables by \`npm run docs\`. -->

An option wins over its variable. Values of variables are trimmed of white space and one pair of quotes; blank counts as
unset. A secret may come from a file named by its variable with \`_FILE\` at the end; both at once is refused. Every
problem is reported at once, by name and never by value.
`

const TAIL = `## Network

\`HTTPS_PROXY\`, \`HTTP_PROXY\` and \`NO_PROXY\` are read in either case; each proxy serves its own scheme only.
\`NODE_EXTRA_CA_CERTS\` names a file of further CA certificates (PEM).

## Values

- **Durations** are a number and \`ms\`, \`s\`, \`m\` or \`h\`; a bare number is seconds.
- **Timestamps** are ISO 8601 with a zone (\`2026-01-31T12:00:00Z\`, \`…+01:00\`, \`…+0100\`) or epoch seconds.
- **Summaries** are templates: ${TEMPLATE_NAMES.map((name) => `\`{{${name}}}\``).join(', ')}. What is unknown renders as
  nothing, an unknown name is an error.
- **Several routing keys** are separated by commas, each optionally with a name for messages:
  \`PAGERDUTY_ROUTING_KEY=web=…,data=…\`. Every event goes to each of them.
`
