import { describeSetting } from '../config/setting.ts'
import { SETTING_LIST } from '../config/settings.ts'
import { Failure } from '../core/failure.ts'
import { COMMANDS, takesSetting, type CommandName } from './command-table.ts'

/** What may follow one command, without dashes. */
interface Completions {
  readonly command: CommandName
  readonly does: string
  readonly options: readonly { readonly name: string; readonly help: string; readonly takesValue: boolean }[]
}

const SHELLS: Readonly<Record<string, (all: readonly Completions[]) => string>> = { bash, zsh, fish }

/**
 * The shell's completion, made from the tables of commands and settings.
 * @throws Failure of kind `usage` for another shell
 */
export function completionScript(shell: string | undefined): string {
  const print = shell !== undefined && Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined
  if (print === undefined) {
    throw new Failure('usage', `completion needs a shell: ${Object.keys(SHELLS).join(', ')}`)
  }
  return print(allCompletions())
}

function allCompletions(): Completions[] {
  return Object.entries(COMMANDS).map(([name, { does }]) => ({
    command: name as CommandName,
    does,
    options: SETTING_LIST.flatMap((setting) => {
      const { option, value } = setting
      const isTaken = option !== undefined && takesSetting(name as CommandName, setting)
      return isTaken
        ? [{ name: option, help: describeSetting(setting), takesValue: value !== undefined }]
        : []
    }),
  }))
}

function words(all: readonly Completions[]): { commands: string; cases: string[]; options: string[] } {
  return {
    commands: all.map(({ command }) => command).join(' '),
    cases: all.map(({ command }) => command),
    options: all.map(({ options }) =>
      ['help', ...options.map(({ name }) => name)].map((name) => `--${name}`).join(' '),
    ),
  }
}

function bash(all: readonly Completions[]): string {
  const { commands, cases, options } = words(all)
  return `_pagerduty_alert() {
  local current="\${COMP_WORDS[COMP_CWORD]}" command= candidates word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      --) return ;;
      ${cases.join('|')}) command=\${command:-$word} ;;
    esac
  done
  case $command in
${cases.map((name, index) => `    ${name}) candidates='${options[index]}' ;;`).join('\n')}
    *) candidates='${commands} --help --version' ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$current")
}
complete -o default -F _pagerduty_alert pagerduty-alert
`
}

/** It works both when it is sourced and as a file `_pagerduty-alert` in `fpath`, which zsh loads at the first Tab. */
function zsh(all: readonly Completions[]): string {
  const { commands, cases, options } = words(all)
  return `#compdef pagerduty-alert
_pagerduty-alert() {
  local command= index
  for (( index = 2; index < CURRENT; index++ )); do
    case \${words[index]} in
      --) shift $index words; (( CURRENT -= index )); _normal; return ;;
      ${cases.join('|')}) command=\${command:-\${words[index]}} ;;
    esac
  done
  case $command in
${cases.map((name, index) => `    ${name}) compadd -- ${options[index]} ;;`).join('\n')}
    *) compadd -- ${commands} --help --version ;;
  esac
  [[ \${words[CURRENT]} == -* ]] || _files
}
if [[ \${zsh_eval_context[-1]} == loadautofunc ]]; then
  _pagerduty-alert "$@"
else
  compdef _pagerduty-alert pagerduty-alert
fi
`
}

function fish(all: readonly Completions[]): string {
  const quote = (text: string): string => `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`
  const lines = all.flatMap(({ command, does, options }) => [
    `complete -c pagerduty-alert -f -n __fish_use_subcommand -a ${command} -d ${quote(does)}`,
    ...options.map(
      ({ name, help, takesValue }) =>
        `complete -c pagerduty-alert -n '__fish_seen_subcommand_from ${command}' -l ${name}${takesValue ? ' -r' : ''} -d ${quote(help)}`,
    ),
  ])
  return `complete -c pagerduty-alert -l help -d 'print the help'
complete -c pagerduty-alert -n __fish_use_subcommand -l version -d 'print the version'
${lines.join('\n')}
`
}
