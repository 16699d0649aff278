import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusalAdvice, type Refusal } from '../../../src/core/refusal-advice.ts'
import { createSecret } from '../../../src/core/secret.ts'

const KEY = createSecret('0123456789abcdef0123456789abcdef')
const ORCHESTRATION_KEY = createSecret('R0123456789ABCDEF0123456789ABCDE')
const REFUSAL: Refusal = {
  kind: 'alert',
  status: 400,
  reason: '400: no reason given',
  routingKey: KEY,
  region: 'us',
}
/** As a relay is told it, which holds the key. */
const RELAYED = { routingKey: undefined } as const

const HINTS: readonly [when: string, refusal: Partial<Refusal>, hint: RegExp | undefined][] = [
  [
    'an orchestration key takes no change event',
    { kind: 'change', routingKey: ORCHESTRATION_KEY },
    /Event Orchestration.*--as alert/,
  ],
  ['an orchestration key takes alerts', { routingKey: ORCHESTRATION_KEY }, undefined],
  [
    'the key is blank to PagerDuty',
    { reason: "400: Event object is invalid: 'routing_key' cannot be blank" },
    /not an Events API v2 integration key/,
  ],
  [
    'the key has characters of a REST API token',
    { reason: "400: 'routing_key' cannot contain +" },
    /a REST API token cannot send events/,
  ],
  [
    'the key has another length',
    { reason: "400: Length of 'routing_key' is incorrect (should be 32 characters)" },
    /a REST API token cannot send events/,
  ],
  [
    'the key is unknown in the US',
    { reason: '400: Invalid routing key' },
    /the US region has this key.*PAGERDUTY_REGION=eu/,
  ],
  [
    'the key is unknown in the EU',
    { reason: '400: Invalid routing key', region: 'eu' },
    /the EU region has this key.*PAGERDUTY_REGION=us/,
  ],
  [
    "a relay's own key is unknown",
    { ...RELAYED, reason: '400: Invalid routing key' },
    /^PagerDuty does not know the relay’s key.*where the relay runs/,
  ],
  [
    "a relay's own key is not one",
    { ...RELAYED, reason: "400: 'routing_key' cannot be blank" },
    /^the relay’s key is not an Events API v2 integration key/,
  ],
  ['a relay wants a token', { ...RELAYED, status: 401 }, /PAGERDUTY_RELAY_TOKEN/],
  ['a relay forbids', { ...RELAYED, status: 403 }, /PAGERDUTY_RELAY_TOKEN/],
  ['a 401 that is not a relay’s', { status: 401 }, undefined],
  ['there is nothing at the address', { status: 404 }, /PAGERDUTY_EVENTS_URL or PAGERDUTY_RELAY_URL/],
  ['the address takes no posts', { status: 405 }, /PAGERDUTY_EVENTS_URL or PAGERDUTY_RELAY_URL/],
  ['the address redirects', { status: 301 }, /the final address/],
  ['the address redirects for now', { status: 308 }, /the final address/],
  ['nothing is known of the cause', {}, undefined],
  ['there was no answer', { status: undefined, reason: 'refused' }, undefined],
]
for (const [when, refusal, hint] of HINTS) {
  test(`the hint when ${when}`, () => {
    const said = refusalAdvice({ ...REFUSAL, ...refusal })
    if (hint === undefined) assert.equal(said, undefined)
    else assert.match(said ?? '', hint)
  })
}
