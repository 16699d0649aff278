import type { Setting } from './setting.ts'

/** How an event is sent. */
export const DELIVERY_SETTINGS = {
  token: {
    group: 'delivery',
    variable: 'PAGERDUTY_TOKEN',
    value: 'TOKEN',
    secret: true,
    help: 'the one secret most users set: an Events API v2 integration key (32 letters and digits), or a REST API token with which that is looked up',
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
} as const satisfies Record<string, Setting>
