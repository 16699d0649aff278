import type { SettingName } from '../config/settings.ts'
import type { SettingGroup } from '../config/settings/setting.ts'

/** What is known of a command before it runs: the command line is checked and the help printed from this. */
export interface CommandInfo {
  readonly does: string
  /** What may follow its name, as the help shows it. */
  readonly operands: string
  readonly maxOperands: number
  /** Which settings it takes. */
  readonly groups: readonly SettingGroup[]
  /** Settings of these groups that mean nothing to it. */
  readonly omits?: readonly SettingName[]
  readonly example: string
}

const SENDING: readonly SettingGroup[] = ['event', 'delivery', 'rest', 'printing']

const DEPLOYING: readonly SettingGroup[] = ['event', 'note', 'delivery', 'rest', 'printing']

function sending(does: string, example: string, groups = SENDING): CommandInfo {
  return { does, operands: '', maxOperands: 0, groups, example }
}

/** Every command, in the order of the help. */
export const COMMANDS = {
  success: sending(
    'change event, then resolve of the failure alert; the default',
    'pagerduty-alert success --environment production',
    DEPLOYING,
  ),
  failure: sending(
    'trigger of the failure alert',
    'pagerduty-alert failure --environment production --severity critical',
    DEPLOYING,
  ),
  run: {
    does: 'runs a command and reports its outcome; its exit status is the command’s',
    operands: '-- CMD [ARG…]',
    maxOperands: 0,
    groups: ['run', ...DEPLOYING],
    example: 'pagerduty-alert run --environment production -- ./deploy.sh',
  },
  change: sending(
    'one change event from options only',
    'pagerduty-alert change --summary "Feature flag checkout-v2 switched on"',
  ),
  trigger: sending(
    'one alert from options only; prints its dedup key',
    'key=$(pagerduty-alert trigger --summary "Migration is stuck" --severity warning)',
  ),
  acknowledge: sending('acknowledges an alert', 'pagerduty-alert acknowledge --dedup-key "$key"'),
  resolve: sending('resolves an alert', 'pagerduty-alert resolve --dedup-key "$key"'),
  send: {
    ...sending('one event written as PagerDuty JSON: a FILE, or stdin', 'pagerduty-alert send event.json'),
    operands: '[FILE | -]',
    maxOperands: 1,
  },
  flush: {
    does: 'waits until the relay (or spool) has delivered everything; exit 0 only then',
    operands: '',
    maxOperands: 0,
    groups: ['delivery', 'printing'],
    example: 'pagerduty-alert flush --deadline 5m',
  },
  gate: {
    does: 'exit status 1 while the service has open incidents; asks with a REST API token',
    operands: '',
    maxOperands: 0,
    groups: ['gate', 'rest', 'delivery', 'printing'],
    omits: ['dryRun', 'relay', 'createIntegration'],
    example: 'pagerduty-alert gate --allow-rollback --wait 10m && ./deploy.sh',
  },
  serve: {
    does: 'the sidecar: a relay that holds the key and speaks PagerDuty’s Events API to others',
    operands: '',
    maxOperands: 0,
    groups: ['relay', ...SENDING],
    omits: ['dryRun', 'relay', 'json', 'status'],
    example: 'PAGERDUTY_RELAY_HOST=0.0.0.0 pagerduty-alert serve',
  },
  doctor: {
    does: 'checks configuration, key, network and, with a REST API token, the account; pages nobody',
    operands: '',
    maxOperands: 0,
    groups: ['delivery', 'rest', 'printing'],
    omits: ['dryRun', 'createIntegration'],
    example: 'pagerduty-alert doctor',
  },
  completion: {
    does: 'prints the completion of a SHELL: bash, zsh or fish',
    operands: 'SHELL',
    maxOperands: 1,
    groups: [],
    example: 'source <(pagerduty-alert completion bash)',
  },
  help: {
    does: 'this page, or that of one COMMAND',
    operands: '[COMMAND]',
    maxOperands: 1,
    groups: [],
    example: 'pagerduty-alert help failure',
  },
} as const satisfies Record<string, CommandInfo>

export type CommandName = keyof typeof COMMANDS

/** The names of all commands, for messages. */
export const COMMAND_NAMES: string = Object.keys(COMMANDS).join(', ')

/** The command of a name, if there is one. */
export function findCommand(name: string): CommandName | undefined {
  return Object.hasOwn(COMMANDS, name) ? (name as CommandName) : undefined
}

/** Whether a setting means something to a command. */
export function takesSetting(
  command: CommandName,
  { name, group }: { name: SettingName; group: SettingGroup },
): boolean {
  const { groups, omits = [] }: CommandInfo = COMMANDS[command]
  return groups.includes(group) && !omits.includes(name)
}
