import type { Setting } from './setting.ts'

/** Where events are kept that are not delivered yet. */
export const SPOOL_SETTINGS = {
  spool: {
    group: 'delivery',
    variable: 'PAGERDUTY_SPOOL',
    value: 'DIRECTORY',
    help: 'what cannot be delivered in time is kept there, for a relay or flush to deliver',
  },
  spoolLimit: {
    group: 'delivery',
    variable: 'PAGERDUTY_SPOOL_LIMIT',
    value: 'N',
    help: 'most events that the spool keeps undelivered; default 100000',
  },
  spoolMaxAge: {
    group: 'delivery',
    variable: 'PAGERDUTY_SPOOL_MAX_AGE',
    value: 'TIME',
    help: 'how long a kept event is retried before it is given up and listed as dead; default and most 24h',
  },
} as const satisfies Record<string, Setting>
