import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { alertProblems, changeProblems, type JsonObject } from '../../../tools/simulator/validate.ts'

// PagerDuty's own schemas are laxer than its server: they are a floor, not the rules.
const ajv = new Ajv({ strict: false, validateFormats: false })
const compile = (name: string): ReturnType<typeof ajv.compile> =>
  ajv.compile(
    JSON.parse(readFileSync(`test/fixtures/pagerduty-schema/${name}.schema.json`, 'utf8')) as object,
  )

/** Mostly what belongs there, now and then anything that JSON can say, or nothing. */
const maybe = <T>(good: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: good }, fc.jsonValue({ maxDepth: 1 }), fc.constant(undefined))

const list = (item: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  maybe(fc.array(maybe(fc.record(item)), { maxLength: 2 }))
const text = maybe(fc.string({ minLength: 1 }))
const details = maybe(fc.dictionary(fc.string(), fc.jsonValue()))
const time = maybe(fc.constant('2026-01-31T12:00:00Z'))
const common = {
  routing_key: maybe(fc.stringMatching(/^[A-Za-z0-9]{32}$/)),
  links: list({ href: text, text }),
  images: list({ src: maybe(fc.webUrl({ validSchemes: ['https'] })), href: text, alt: text }),
}
const alert = fc.record({
  ...common,
  event_action: maybe(fc.constantFrom('trigger', 'acknowledge', 'resolve')),
  dedup_key: text,
  client: text,
  client_url: text,
  payload: maybe(
    fc.record({
      summary: text,
      source: text,
      severity: maybe(fc.constantFrom('critical', 'error', 'warning', 'info')),
      timestamp: time,
      component: text,
      group: text,
      class: text,
      custom_details: details,
    }),
  ),
})
const change = fc.record({
  ...common,
  payload: maybe(fc.record({ summary: text, source: text, timestamp: time, custom_details: details })),
})

const ENDPOINTS: [string, fc.Arbitrary<JsonObject>, (event: JsonObject) => unknown[]][] = [
  ['enqueue', alert, alertProblems],
  ['change-enqueue', change, changeProblems],
]
for (const [name, event, problems] of ENDPOINTS) {
  test(`whatever passes here passes PagerDuty's schema for ${name}`, () => {
    const validate = compile(name)
    let accepted = 0
    fc.assert(
      fc.property(event, (sample) => {
        const sent = JSON.parse(JSON.stringify(sample)) as JsonObject
        if (problems(sent).length > 0) return
        accepted += 1
        assert.ok(validate(sent), ajv.errorsText(validate.errors))
      }),
      { numRuns: 500 },
    )
    assert.ok(accepted > 20, `only ${accepted} samples were accepted, which proves little`)
  })
}
