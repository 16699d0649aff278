import type { Setting } from './setting.ts'

/** Where the relay listens, and by which names. What it asks for, `PAGERDUTY_RELAY_TOKEN`, its callers send. */
export const RELAY_SETTINGS = {
  relayHost: {
    group: 'relay',
    option: 'host',
    variable: 'PAGERDUTY_RELAY_HOST',
    value: 'ADDRESS',
    help: 'address to listen on; default 127.0.0.1, in the image 0.0.0.0',
  },
  relayPort: {
    group: 'relay',
    option: 'port',
    variable: 'PAGERDUTY_RELAY_PORT',
    value: 'PORT',
    help: 'port to listen on; default 8080; 0 takes a free one and prints the address',
  },
  relayNames: {
    group: 'relay',
    variable: 'PAGERDUTY_RELAY_NAMES',
    value: 'NAME[,NAME…]',
    help: 'names with dots by which callers address a relay without a token; addresses, localhost and names without dots need no permission',
  },
} as const satisfies Record<string, Setting>
