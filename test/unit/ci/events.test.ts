import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { detectBuild } from '../../../src/ci/detect-build.ts'
import { withRepositoryUrl } from '../../../src/ci/repository-url.ts'
import { findProblems } from '../../../src/core/event-schema.ts'
import { identify } from '../../../src/core/identity.ts'
import { planEvents, type EventCommand } from '../../../src/core/plan-events.ts'
import { readFixture } from '../../support/ci-fixtures.ts'

// PagerDuty's own schemas; their format `url` is not one that JSON Schema knows.
const ajv = new Ajv({ strict: false, validateFormats: false })
const schema = (name: string): ReturnType<typeof ajv.compile> =>
  ajv.compile(
    JSON.parse(readFileSync(`test/fixtures/pagerduty-schema/${name}.schema.json`, 'utf8')) as object,
  )
const SCHEMAS = { alert: schema('enqueue'), change: schema('change-enqueue') }

const COMMANDS: readonly EventCommand[] = [
  'success',
  'failure',
  'soft-failure',
  'cancelled',
  'change',
  'trigger',
  'acknowledge',
  'resolve',
]
const KEY = '0123456789abcdef0123456789abcdef'
const dedupKey = { value: 'k', origin: 'test' }

for (const file of globSync('test/fixtures/ci/*.json').toSorted()) {
  const name = basename(file, '.json')
  test(`every event of every command is one that PagerDuty takes, in each environment of ${name}`, async () => {
    for (const [env, , event] of readFixture(name)) {
      const build = withRepositoryUrl(await detectBuild(env, () => JSON.stringify(event)), undefined)
      const input = { fields: {}, build, identity: identify({ dedupKey }, build, 'host-1'), result: {} }
      for (const command of COMMANDS) {
        const { events } = planEvents(
          command,
          { ...input, nowIso: '2026-03-01T12:00:00.000Z' },
          { as: 'both', resolve: 'auto', randomKey: () => 'random' },
        )
        for (const { kind, body } of events) {
          assert.deepEqual(findProblems({ kind, body }), [])
          assert.ok(SCHEMAS[kind]({ routing_key: KEY, ...body }), ajv.errorsText(SCHEMAS[kind].errors))
          assert.doesNotMatch(JSON.stringify(body), /undefined|null|false|"0+"|""/)
        }
      }
    }
  })
}
