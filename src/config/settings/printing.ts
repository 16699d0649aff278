import type { Setting } from './setting.ts'

/** What is printed. */
export const PRINTING_SETTINGS = {
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
