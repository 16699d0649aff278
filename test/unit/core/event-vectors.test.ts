import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { type Event, type EventBody } from '../../../src/core/event.ts'
import { findProblems } from '../../../src/core/event-schema.ts'
import { Failure } from '../../../src/core/failure.ts'
import { ORCHESTRATION_KEY_ADVICE } from '../../../src/core/refusal-advice.ts'
import { parseRoutingKeys, takesChanges } from '../../../src/core/routing-key.ts'
import { readUserEvent } from '../../../src/core/event-document.ts'

interface Vector {
  readonly name: string
  readonly endpoint: '/v2/enqueue' | '/v2/change/enqueue'
  readonly body: unknown
  readonly valid: boolean
  readonly ambiguous?: boolean
  readonly why: string
  readonly expand?: readonly { path: string; char: string; count: number }[]
}

const FOLDER = new URL('../../fixtures/', import.meta.url)
const readJson = (path: string): unknown => JSON.parse(readFileSync(new URL(path, FOLDER), 'utf8'))
const vectors = readdirSync(new URL('event-vectors/', FOLDER)).map(
  (file) => readJson(`event-vectors/${file}`) as Vector,
)

// PagerDuty's "format": "url" is not a format of JSON Schema, and its own examples break "date-time": formats are ours to keep.
const ajv = new Ajv({ strict: false, validateFormats: false })
const validate = {
  alert: ajv.compile(readJson('pagerduty-schema/enqueue.schema.json') as object),
  change: ajv.compile(readJson('pagerduty-schema/change-enqueue.schema.json') as object),
}

/** The key used if a vector has none, as on the wire. */
const OWN_KEY = '0123456789abcdef0123456789abcdef'

function expand({ body, expand: instructions = [] }: Vector): unknown {
  const copy = structuredClone(body)
  for (const { path, char, count } of instructions) {
    const names = path.split('.')
    const last = names.pop()!
    const parent = names.reduce(
      (object, name) => object[name] as Record<string, unknown>,
      copy as Record<string, unknown>,
    )
    parent[last] = char.repeat(count)
  }
  return copy
}

/** What would be sent for a document, or the failure that refuses it. */
function send(document: unknown): { event: Event; key: string } | Failure {
  try {
    const { event, routingKey = OWN_KEY } = readUserEvent(document, {
      lookUp: () => undefined,
      defaults: (kind, action) => defaultBody(kind, action),
    })
    const [key] = parseRoutingKeys(routingKey)
    if (event.kind === 'change' && !takesChanges(key!.key))
      throw new Failure('config', ORCHESTRATION_KEY_ADVICE)
    return { event, key: key!.key.reveal() }
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}

/** As outside any CI: there is no summary and no dedup key to fill in but a random one for a trigger. */
function defaultBody(kind: Event['kind'], action: string): EventBody {
  if (kind === 'change')
    return {
      payload: { source: 'host', timestamp: '2026-01-01T00:00:00.000Z' } as EventBody['payload'] & object,
    }
  if (action !== 'trigger') return {}
  const payload = { source: 'host', severity: 'error', timestamp: '2026-01-01T00:00:00.000Z' }
  return { dedup_key: 'random', payload: payload as unknown as EventBody['payload'] & object }
}

function assertValid({ event, key }: { event: Event; key: string }): void {
  const wire = { routing_key: key, ...event.body }
  assert.deepEqual(findProblems(event), [])
  assert.ok(validate[event.kind](wire), JSON.stringify(validate[event.kind].errors))
  assert.match(key, /^[A-Za-z0-9]{32}$/)
  assert.ok(Buffer.byteLength(JSON.stringify(wire)) <= 512_000)
}

test('there are vectors', () => assert.ok(vectors.length >= 70))

for (const vector of vectors) {
  const body = expand(vector)
  if (vector.ambiguous) {
    test(`${vector.name} (nobody proves PagerDuty's answer): sent as a valid event, or refused`, (context) => {
      const sent = send(body)
      context.diagnostic(
        sent instanceof Failure
          ? `refused: ${sent.message}`
          : `sent: ${JSON.stringify(sent.event).slice(0, 200)}`,
      )
      if (!(sent instanceof Failure)) assertValid(sent)
    })
  } else if (vector.valid) {
    test(`${vector.name} is sent with its meaning unchanged`, () => {
      const sent = send(body)
      assert.ok(!(sent instanceof Failure), String(sent))
      assertValid(sent)
      const { routing_key: key, ...own } = body as Record<string, unknown>
      assert.equal(sent.key, key)
      assertMeans(sent.event.body, own)
    })
  } else {
    test(`${vector.name} is refused, or becomes a valid event: ${vector.why.slice(0, 60)}`, () => {
      const sent = send(body)
      if (sent instanceof Failure) assert.ok(sent.kind === 'usage' || sent.kind === 'config')
      else assertValid(sent)
    })
  }
}

/** Every member of the original is in what is sent, a timestamp as the same moment. */
function assertMeans(sent: unknown, original: unknown): void {
  if (typeof original !== 'object' || original === null) return assert.deepEqual(sent, original)
  for (const [name, value] of Object.entries(original)) {
    const member = (sent as Record<string, unknown>)[name]
    if (name === 'timestamp') assert.match(String(member), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    else assertMeans(member, value)
  }
}
