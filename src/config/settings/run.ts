import type { Setting } from './setting.ts'

/** How `run` watches its command. */
export const RUN_SETTINGS = {
  strict: {
    group: 'run',
    option: 'strict',
    help: 'end with 65, 75 or 78 when the command succeeded but PagerDuty was not told',
  },
  softFail: {
    group: 'run',
    option: 'soft-fail',
    value: 'CODES',
    help: 'exit statuses that page nobody: a list such as 3,75, or * for all',
  },
  outputLines: {
    group: 'run',
    option: 'output-lines',
    value: 'N',
    help: 'last lines of the output in the alert; default 40; 0: none, and the command has the terminal itself',
  },
  showCommand: {
    group: 'run',
    option: 'show-command',
    help: 'put the command line into the event, with secrets masked',
  },
  maintenance: {
    group: 'run',
    option: 'maintenance',
    value: 'MINUTES',
    help: 'put the service into maintenance meanwhile, for so long at most; needs a REST API token',
  },
  heartbeat: {
    group: 'run',
    option: 'heartbeat',
    value: 'TIME',
    help: 'print a line whenever the command has been silent for so long, e.g. 5m',
  },
} as const satisfies Record<string, Setting>
