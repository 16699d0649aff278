import type { Setting } from './setting.ts'

/** How PagerDuty's REST API is asked. */
export const REST_SETTINGS = {
  apiToken: {
    group: 'rest',
    variable: 'PAGERDUTY_API_TOKEN',
    value: 'TOKEN',
    secret: true,
    help: 'REST API token; wins over one in PAGERDUTY_TOKEN',
  },
  service: {
    group: 'rest',
    option: 'service',
    value: 'NAME',
    help: 'name of the service; wins over PAGERDUTY_SERVICE_ID',
  },
  serviceId: {
    group: 'rest',
    variable: 'PAGERDUTY_SERVICE_ID',
    value: 'ID',
    help: 'id of the service (PXXXXXX), or its address in PagerDuty; without a routing key its own is looked up',
  },
  integrationId: {
    group: 'rest',
    variable: 'PAGERDUTY_INTEGRATION_ID',
    value: 'ID',
    help: 'which of several Events API v2 integrations of the service lends its key',
  },
  createIntegration: {
    group: 'rest',
    option: 'create-integration',
    help: 'add an Events API v2 integration to the service where it has none',
  },
  from: {
    group: 'rest',
    variable: 'PAGERDUTY_FROM',
    value: 'EMAIL',
    help: 'e-mail address of a PagerDuty user, which writes with an account’s token need',
  },
  apiUrl: {
    group: 'rest',
    variable: 'PAGERDUTY_API_URL',
    value: 'URL',
    help: 'base URL of the REST API instead of the region’s; a path prefix is kept',
  },
} as const satisfies Record<string, Setting>

/** What else a deployment leaves in PagerDuty. */
export const NOTE_SETTINGS = {
  note: {
    group: 'note',
    option: 'note',
    help: 'note the deployment on the service’s open incidents',
  },
} as const satisfies Record<string, Setting>

/** When `gate` opens. */
export const GATE_SETTINGS = {
  urgency: {
    group: 'gate',
    option: 'urgency',
    value: 'LEVEL',
    help: 'high or low: incidents of the other urgency do not count; default: all count',
  },
  allowRollback: {
    group: 'gate',
    option: 'allow-rollback',
    help: 'let a rollback pass: PAGERDUTY_ROLLBACK=true, or a commit that git revert made',
  },
  rollback: {
    group: 'gate',
    variable: 'PAGERDUTY_ROLLBACK',
    value: 'BOOLEAN',
    help: 'whether this deployment is a rollback: true or false',
  },
  wait: {
    group: 'gate',
    option: 'wait',
    value: 'TIME',
    help: 'wait so long for the incidents to be resolved, e.g. 10m; default: do not wait',
  },
} as const satisfies Record<string, Setting>
