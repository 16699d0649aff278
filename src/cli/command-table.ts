import type { SettingName } from '../config/settings.ts'
import { EVENT_SETTINGS } from '../config/event.ts'
import { GATE_SETTINGS } from '../config/gate.ts'
import type { SettingGroup } from '../config/setting.ts'
import { closest } from './closest.ts'

/** A command's entry in the table that the command line is checked against and the help printed from. */
export interface CommandInfo {
  readonly does: string
  /** What may follow its name, as the help shows it. */
  readonly operands: string
  readonly maxOperands: number
  /** Which settings it takes. */
  readonly groups: readonly SettingGroup[]
  /** Settings of these groups that it does not take. */
  readonly omits?: readonly SettingName[]
  readonly example: string
}

const SENDING: readonly SettingGroup[] = ['event', 'confirm', 'delivery', 'rest', 'printing']

const DEPLOYING: readonly SettingGroup[] = ['event', 'note', 'confirm', 'delivery', 'rest', 'printing']

/** Only for a deployment's outcome: the form of a success, and the choice of the command itself. */
const OF_SUCCESS: readonly SettingName[] = ['as', 'resolve', 'status']
/** Only for a deployment's outcome, whatever it is. */
const OF_OUTCOME: readonly SettingName[] = [...OF_SUCCESS, 'isRollback']
/** Fields of an alert that a change event does not have, even as a detail. */
const NOT_IN_CHANGE: readonly SettingName[] = [...OF_OUTCOME, 'severity', 'dedupKey']
/** PagerDuty reads only the key of an acknowledge or resolve; the key is made of these. */
const IN_FOLLOW_UP: readonly string[] = ['dedupKey', 'environment', 'step']
const NOT_IN_FOLLOW_UP = (Object.keys(EVENT_SETTINGS) as SettingName[]).filter(
  (name) => !IN_FOLLOW_UP.includes(name),
)

/** Of the event's settings, only the environment chooses deployments. */
const NOT_IN_LIST: readonly SettingName[] = [
  'dryRun',
  ...(Object.keys(EVENT_SETTINGS) as SettingName[]).filter((name) => name !== 'environment'),
]

/** How `gate` waits, and how `run` reports its command. */
const NOT_IN_WATCH: readonly SettingName[] = [
  'wait',
  'onCall',
  'allowRollback',
  'rollback',
  'softFail',
  'outputLines',
  'showCommand',
  'maintenance',
  'heartbeat',
]

/** Of what `watch` looks at, `run --watch` takes only the urgency. */
const NOT_IN_RUN: readonly SettingName[] = [
  'watchFor',
  ...(Object.keys(GATE_SETTINGS) as SettingName[]).filter((name) => name !== 'urgency'),
]

function sending(
  does: string,
  example: string,
  { groups = SENDING, omits = OF_OUTCOME }: Partial<Pick<CommandInfo, 'groups' | 'omits'>> = {},
): CommandInfo {
  return { does, operands: '', maxOperands: 0, groups, omits, example }
}

/** Every command, in the order of the help. */
export const COMMANDS = {
  success: sending(
    'report a successful deployment and resolve its failure alert',
    'pagerduty-alert success --environment production',
    { groups: ['started', ...DEPLOYING], omits: ['within'] },
  ),
  failure: sending(
    'report a failed deployment by triggering its failure alert',
    'pagerduty-alert failure --environment production --severity critical',
    { groups: ['started', ...DEPLOYING, 'paging'], omits: ['within', ...OF_SUCCESS] },
  ),
  started: sending(
    'say that a deployment has begun, so that somebody is paged if it never ends',
    'pagerduty-alert started --within 30m --environment production',
    { groups: ['started', ...SENDING], omits: [...OF_SUCCESS, 'confirm'] },
  ),
  run: {
    does: 'run a command, report how it ended, and exit with its status',
    operands: '-- CMD [ARG…]',
    maxOperands: 0,
    groups: ['run', 'started', 'watch', 'gate', 'paging', ...DEPLOYING],
    omits: ['status', ...NOT_IN_RUN],
    example: 'pagerduty-alert run --environment production -- ./deploy.sh',
  },
  change: sending(
    'send one change event made only from options',
    'pagerduty-alert change --summary "Feature flag checkout-v2 switched on"',
    { omits: NOT_IN_CHANGE },
  ),
  trigger: sending(
    'trigger one alert made only from options, and print its dedup key',
    'key=$(pagerduty-alert trigger --summary "Migration is stuck" --severity warning)',
  ),
  acknowledge: sending('acknowledge an alert', 'pagerduty-alert acknowledge --dedup-key "$key"', {
    omits: NOT_IN_FOLLOW_UP,
  }),
  resolve: sending('resolve an alert', 'pagerduty-alert resolve --dedup-key "$key"', {
    omits: NOT_IN_FOLLOW_UP,
  }),
  send: {
    ...sending(
      'send one event that you wrote as PagerDuty JSON, from a FILE or stdin',
      'pagerduty-alert send event.json',
    ),
    operands: '[FILE | -]',
    maxOperands: 1,
  },
  flush: {
    does: 'wait until the relay or the spool has delivered everything',
    operands: '',
    maxOperands: 0,
    groups: ['flush', 'delivery', 'printing'],
    example: 'pagerduty-alert flush --deadline 5m',
  },
  spool: {
    does: 'list, retry or discard what a relay, a fleet or a spool holds',
    operands: 'list | retry [ID | KEY] | discard ID | KEY | all',
    maxOperands: 2,
    groups: ['delivery', 'printing'],
    omits: ['dryRun'],
    example: 'pagerduty-alert spool retry',
  },
  fleet: {
    does: 'create or update the tables that relays share, or move their events into a spool',
    operands: 'migrate | export DIRECTORY',
    maxOperands: 2,
    groups: ['delivery', 'printing'],
    omits: ['dryRun'],
    example: 'PAGERDUTY_FLEET=postgres://owner@db/pagerduty pagerduty-alert fleet migrate',
  },
  deployments: {
    does: 'list the recorded deployments, newest first',
    operands: '',
    maxOperands: 0,
    groups: ['list', 'event', 'delivery', 'printing'],
    omits: NOT_IN_LIST,
    example: 'pagerduty-alert deployments --environment production --since 7d',
  },
  report: {
    does: 'count how often deployments happen, fail and recover',
    operands: '',
    maxOperands: 0,
    groups: ['list', 'event', 'delivery', 'printing'],
    omits: ['outcome', ...NOT_IN_LIST],
    example: 'pagerduty-alert report --since 30d',
  },
  gate: {
    does: 'exit with 1 if the service has open incidents; needs a REST API token',
    operands: '',
    maxOperands: 0,
    groups: ['gate', 'rest', 'delivery', 'printing'],
    omits: ['watchFor', 'dryRun', 'relay', 'createIntegration'],
    example: 'pagerduty-alert gate --allow-rollback --wait 10m && ./deploy.sh',
  },
  watch: {
    does: 'exit with 1 if a new incident opens after a deployment; needs a REST API token',
    operands: '[-- CMD [ARG…]]',
    maxOperands: 0,
    groups: ['gate', 'run', 'note', 'event', 'delivery', 'rest', 'printing'],
    omits: [...NOT_IN_WATCH, ...NOT_IN_FOLLOW_UP, 'dryRun', 'createIntegration'],
    example: './deploy.sh && pagerduty-alert watch --for 15m --note -- ./rollback.sh',
  },
  serve: {
    does: 'run the relay, which holds the key and sends the events of other containers',
    operands: '',
    maxOperands: 0,
    groups: ['relay', 'started', 'watch', 'paging', 'event', 'delivery', 'rest', 'printing'],
    omits: ['dryRun', 'relay', 'json', 'status', 'isRollback', 'suspended', 'suspendedByDefault'],
    example: 'PAGERDUTY_RELAY_HOST=0.0.0.0 pagerduty-alert serve',
  },
  doctor: {
    does: 'check settings, key, network and account, without paging anybody',
    operands: '',
    maxOperands: 0,
    groups: ['doctor', 'started', 'delivery', 'rest', 'printing'],
    omits: ['within', 'dryRun', 'createIntegration'],
    example: 'pagerduty-alert doctor',
  },
  completion: {
    does: 'print the completion script of a SHELL: bash, zsh or fish',
    operands: 'SHELL',
    maxOperands: 1,
    groups: [],
    example: 'source <(pagerduty-alert completion bash)',
  },
  help: {
    does: 'print this page, or the page of one COMMAND',
    operands: '[COMMAND]',
    maxOperands: 1,
    groups: [],
    example: 'pagerduty-alert help failure',
  },
} as const satisfies Record<string, CommandInfo>

export type CommandName = keyof typeof COMMANDS

/** The command of a name, if there is one. */
export function findCommand(name: string): CommandName | undefined {
  return Object.hasOwn(COMMANDS, name) ? (name as CommandName) : undefined
}

/** What to say about an unknown command. A word with digits may be a key in the wrong place, so it is not repeated. */
export function unknownCommand(name: string): string {
  const names = Object.keys(COMMANDS)
  const shown = /^[a-z][a-z._-]{0,30}$/i.test(name) ? ` ${name}` : ''
  const meant = closest(name, names)
  const hint = meant === undefined ? `; expected one of ${names.join(', ')}` : `; did you mean ${meant}?`
  return `unknown command${shown}${hint}`
}

/** Whether a command takes a setting. */
export function takesSetting(
  command: CommandName,
  { name, group }: { name: SettingName; group: SettingGroup },
): boolean {
  const { groups, omits = [] }: CommandInfo = COMMANDS[command]
  return groups.includes(group) && !omits.includes(name)
}
