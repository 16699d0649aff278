/** A command line of the campaign. */
export interface LeakCommand {
  readonly name: string
  readonly args: readonly string[]
  readonly stdin?: string
  /** What follows `--`. */
  readonly watched?: readonly string[]
  readonly takesNoDryRun?: boolean
}

const SUMMARY = ['--summary', 'Migration is stuck'] as const
const EVENT = '{"event_action":"trigger","payload":{"summary":"Stuck"}}'

/** Every command. A new one is a new row. */
export const LEAK_COMMANDS: readonly LeakCommand[] = [
  { name: 'success', args: ['success'] },
  { name: 'success that is read back', args: ['success', '--confirm'] },
  { name: 'failure with a note', args: ['failure', '--note'] },
  { name: 'change', args: ['change', ...SUMMARY] },
  { name: 'trigger', args: ['trigger', ...SUMMARY] },
  { name: 'acknowledge', args: ['acknowledge', '--dedup-key', 'k'] },
  { name: 'resolve', args: ['resolve', '--dedup-key', 'k'] },
  { name: 'started', args: ['started', '--within', '30m'] },
  { name: 'started, suspended', args: ['started', '--suspended'] },
  { name: 'send', args: ['send'], stdin: EVENT },
  { name: 'run of a success', args: ['run', '--strict'], watched: ['/bin/true'] },
  {
    name: 'run of a failure',
    args: ['run'],
    watched: ['/bin/sh', '-c', 'echo "$PAGERDUTY_RELAY_TOKEN" | wc -c; exit 3'],
  },
  { name: 'run in maintenance', args: ['run', '--maintenance', '5'], watched: ['/bin/true'] },
  { name: 'doctor', args: ['doctor'], takesNoDryRun: true },
  { name: 'doctor with a test event', args: ['doctor', '--send-test'], takesNoDryRun: true },
  { name: 'gate', args: ['gate', '--on-call'], takesNoDryRun: true },
  {
    name: 'watch',
    args: ['watch', '--for', '100ms', '--note'],
    watched: ['/bin/true'],
    takesNoDryRun: true,
  },
  { name: 'flush', args: ['flush'], takesNoDryRun: true },
  { name: 'spool list', args: ['spool', 'list'], takesNoDryRun: true },
  { name: 'spool retry', args: ['spool', 'retry'], takesNoDryRun: true },
  { name: 'deployments', args: ['deployments'], takesNoDryRun: true },
  { name: 'report', args: ['report'], takesNoDryRun: true },
  { name: 'help', args: ['help', 'run'], takesNoDryRun: true },
  { name: 'completion', args: ['completion', 'zsh'], takesNoDryRun: true },
]

/** How much is said, and in which form. */
export const PRINTINGS: readonly {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}[] = [
  { args: ['--verbose'], env: {} },
  { args: ['--json'], env: { LOG_LEVEL: 'trace', LOG_FORMAT: 'json' } },
  { args: [], env: { LOG_LEVEL: 'debug' } },
  { args: ['--json', '--quiet'], env: {} },
  { args: [], env: { LOG_LEVEL: 'info', LOG_FORMAT: 'json' } },
  { args: ['--json'], env: { LOG_LEVEL: 'warn' } },
  { args: [], env: { LOG_LEVEL: 'error', LOG_FORMAT: 'json' } },
  { args: ['--json'], env: { LOG_LEVEL: 'fatal' } },
  { args: [], env: { LOG_LEVEL: 'silent' } },
]

/** The same without sending anything. */
export const DRY_RUN = { args: ['--dry-run'], env: { LOG_LEVEL: 'trace' } } as const
