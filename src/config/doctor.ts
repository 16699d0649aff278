import { inGroup } from './setting.ts'

/** What `doctor` tries beyond looking. */
export const DOCTOR_SETTINGS = inGroup('doctor', {
  sendTest: {
    option: 'send-test',
    help: 'send a test change event, which pages nobody; with a REST API token, check that PagerDuty shows it',
  },
})
