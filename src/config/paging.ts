import type { FailureForm } from '../core/plan-events.ts'
import { parseChoice, parseCount } from './parsers.ts'
import { inGroup, valuesOf, type Reader } from './setting.ts'

/** Whether a failure pages. */
export const PAGING_SETTINGS = inGroup('paging', {
  failureAs: {
    option: 'failure-as',
    variable: 'PAGERDUTY_FAILURE_AS',
    value: 'FORM',
    parse: parseFailureForm,
    default: 'alert',
    help: 'how to report a failure: alert, or change, which pages nobody',
  },
  pageAfter: {
    option: 'after',
    variable: 'PAGERDUTY_AFTER',
    value: 'N',
    parse: parsePageAfter,
    default: '1',
    help: 'page only from the Nth failure in a row; earlier ones are change events. A relay, a fleet or a spool counts them',
  },
})

/** Whether a failure pages. */
export interface PagingConfig {
  readonly failureAs: FailureForm
  /** From which failure in a row on somebody is paged: 1 for each. */
  readonly after: number
}

/** Reads whether a failure pages. */
export function readPagingConfig(reader: Reader<keyof typeof PAGING_SETTINGS>): PagingConfig {
  const read = valuesOf(reader, PAGING_SETTINGS)
  return { failureAs: read('failureAs'), after: read('pageAfter') }
}

/** Whether earlier failures decide if this one pages. */
export function isCounting({ failureAs, after }: PagingConfig): boolean {
  return failureAs === 'alert' && after > 1
}

/** How a failure is reported: `alert` or `change`. */
export function parseFailureForm(text: string): FailureForm {
  return parseChoice<FailureForm>(['alert', 'change'])(text)
}

/** More failures in a row than anybody would wait for. */
const MAX_AFTER = 100

/** From which failure in a row on somebody is paged. */
export function parsePageAfter(text: string): number {
  return parseCount(MAX_AFTER, 1)(text)
}
