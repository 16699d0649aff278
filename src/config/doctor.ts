import { inGroup } from './setting.ts'

/** What `doctor` checks, and whether it sends a test event. */
export const DOCTOR_SETTINGS = inGroup('doctor', {
  onlyFleet: {
    option: 'fleet',
    help: 'check only the database that relays share (PAGERDUTY_FLEET)',
  },
  sendTest: {
    option: 'send-test',
    help: 'send a test change event, which pages nobody; with a REST API token, check that PagerDuty shows it',
  },
})
