/** What a setting is about, with the title under which the help lists it. A command takes whole groups. */
export const SETTING_GROUPS = {
  event: 'What the event says',
  delivery: 'How it is sent',
  printing: 'What is printed',
} as const

export type SettingGroup = keyof typeof SETTING_GROUPS

/** One thing that a user can set, by an option, a variable or both. Help and documentation are printed from it. */
export interface Setting {
  readonly group: SettingGroup
  /** Long option without dashes. */
  readonly option?: string
  readonly variable?: string
  /** How the value is named in the help; absent for an option that is given or not. */
  readonly value?: string
  /** The option may be given several times. */
  readonly repeatable?: true
  /** The variable holds a secret, so it may come from a file named by `<variable>_FILE`. */
  readonly secret?: true
  readonly help: string
}

/** Every setting, in the order in which the help lists them. */
export const SETTINGS = {
  summary: {
    group: 'event',
    option: 'summary',
    variable: 'PAGERDUTY_SUMMARY',
    value: 'TEXT',
    help: 'title of the event; {{branch}}, {{shortCommit}}, {{environment}} … are filled in',
  },
  severity: {
    group: 'event',
    option: 'severity',
    variable: 'PAGERDUTY_SEVERITY',
    value: 'LEVEL',
    help: 'critical, error (default), warning or info',
  },
  source: {
    group: 'event',
    option: 'source',
    variable: 'PAGERDUTY_SOURCE',
    value: 'NAME',
    help: 'the affected system; default: the repository',
  },
  component: {
    group: 'event',
    option: 'component',
    variable: 'PAGERDUTY_COMPONENT',
    value: 'NAME',
    help: 'default of `failure`: the repository',
  },
  group: {
    group: 'event',
    option: 'group',
    variable: 'PAGERDUTY_GROUP',
    value: 'NAME',
    help: 'default of `failure`: the environment',
  },
  class: {
    group: 'event',
    option: 'class',
    variable: 'PAGERDUTY_CLASS',
    value: 'NAME',
    help: 'default of `failure`: deploy',
  },
  environment: {
    group: 'event',
    option: 'environment',
    variable: 'PAGERDUTY_ENVIRONMENT',
    value: 'NAME',
    help: 'where to is deployed; default: the branch',
  },
  step: {
    group: 'event',
    option: 'step',
    value: 'NAME',
    help: 'tells several deployments to one environment apart in the dedup key',
  },
  detail: {
    group: 'event',
    option: 'detail',
    value: 'KEY=VALUE',
    repeatable: true,
    help: 'one custom detail; a.b=1 nests, JSON values keep their type',
  },
  details: {
    group: 'event',
    option: 'details',
    variable: 'PAGERDUTY_DETAILS',
    value: 'JSON',
    help: 'custom details as a JSON object',
  },
  link: {
    group: 'event',
    option: 'link',
    variable: 'PAGERDUTY_LINKS',
    value: 'URL[|TEXT]',
    repeatable: true,
    help: 'a link for responders; the variable takes a JSON list of {"href","text"}',
  },
  image: {
    group: 'event',
    option: 'image',
    variable: 'PAGERDUTY_IMAGES',
    value: 'SRC[|HREF[|ALT]]',
    repeatable: true,
    help: 'an https image; the variable takes a JSON list of {"src","href","alt"}',
  },
  client: {
    group: 'event',
    option: 'client',
    variable: 'PAGERDUTY_CLIENT',
    value: 'NAME',
    help: 'name of what reports; default: the CI',
  },
  clientUrl: {
    group: 'event',
    option: 'client-url',
    variable: 'PAGERDUTY_CLIENT_URL',
    value: 'URL',
    help: 'its page; default: the build',
  },
  dedupKey: {
    group: 'event',
    option: 'dedup-key',
    variable: 'PAGERDUTY_DEDUP_KEY',
    value: 'KEY',
    help: 'default: deploy/<repository>/<environment>[/<step>]',
  },
  timestamp: {
    group: 'event',
    option: 'timestamp',
    value: 'TIME',
    help: 'ISO 8601 with a zone, or epoch seconds; default: now',
  },
  repositoryUrl: {
    group: 'event',
    variable: 'PAGERDUTY_REPOSITORY_URL',
    value: 'URL',
    help: 'makes commit links where the CI gives none, and names the repository where it does not',
  },
  status: {
    group: 'event',
    option: 'status',
    variable: 'PAGERDUTY_STATUS',
    value: 'STATUS',
    help: 'chooses the command where none is named: success, failure, cancelled, or an exit status ($?)',
  },
  as: {
    group: 'event',
    option: 'as',
    variable: 'PAGERDUTY_AS',
    value: 'FORM',
    help: 'what `success` sends: change (default), alert (severity info) or both',
  },
  resolve: {
    group: 'event',
    option: 'resolve',
    variable: 'PAGERDUTY_RESOLVE',
    value: 'WHEN',
    help: 'whether `success` resolves the failure alert: auto (default) or never',
  },
  token: {
    group: 'delivery',
    variable: 'PAGERDUTY_TOKEN',
    value: 'TOKEN',
    secret: true,
    help: 'the one secret most users set: an Events API v2 integration key (32 letters and digits)',
  },
  routingKey: {
    group: 'delivery',
    variable: 'PAGERDUTY_ROUTING_KEY',
    value: 'KEY[,KEY…]',
    secret: true,
    help: 'integration key or keys, each optionally alias=key; wins over PAGERDUTY_TOKEN',
  },
  region: {
    group: 'delivery',
    option: 'region',
    variable: 'PAGERDUTY_REGION',
    value: 'REGION',
    help: 'us (default) or eu',
  },
  eventsUrl: {
    group: 'delivery',
    variable: 'PAGERDUTY_EVENTS_URL',
    value: 'URL',
    help: 'base URL of the Events API instead of the region’s; a path prefix is kept',
  },
  relay: {
    group: 'delivery',
    option: 'relay',
    variable: 'PAGERDUTY_RELAY_URL',
    value: 'URL',
    help: 'send through this relay, which holds the key',
  },
  relayToken: {
    group: 'delivery',
    variable: 'PAGERDUTY_RELAY_TOKEN',
    value: 'TOKEN',
    secret: true,
    help: 'bearer token that the relay asks for',
  },
  deadline: {
    group: 'delivery',
    option: 'deadline',
    variable: 'PAGERDUTY_DEADLINE',
    value: 'TIME',
    help: 'whole budget of one invocation, e.g. 500ms, 90s, 2m; default 60s',
  },
  timeout: {
    group: 'delivery',
    option: 'timeout',
    variable: 'PAGERDUTY_TIMEOUT',
    value: 'TIME',
    help: 'budget of one attempt; default 10s',
  },
  dryRun: {
    group: 'delivery',
    option: 'dry-run',
    help: 'print the requests that would be made, make none',
  },
  json: { group: 'printing', option: 'json', help: 'print the result as one line of JSON' },
  quiet: { group: 'printing', option: 'quiet', help: 'print errors only' },
  verbose: { group: 'printing', option: 'verbose', help: 'print every attempt' },
  logLevel: {
    group: 'printing',
    variable: 'LOG_LEVEL',
    value: 'LEVEL',
    help: 'trace, debug, info (default), warn, error, fatal or silent',
  },
  logFormat: { group: 'printing', variable: 'LOG_FORMAT', value: 'FORMAT', help: 'text (default) or json' },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof SETTINGS

/** `SETTINGS` as a list, each under its declared type. */
export const SETTING_LIST: readonly (Setting & { readonly name: SettingName })[] = Object.entries(
  SETTINGS,
).map(([name, setting]) => ({ name: name as SettingName, ...setting }))
