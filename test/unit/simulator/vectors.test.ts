import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { judgeAlert, judgeChange } from '../../../tools/simulator/judge.ts'
import { isObject } from '../../../tools/simulator/validate.ts'

interface Vector {
  readonly name: string
  readonly endpoint: string
  readonly body: unknown
  readonly valid: boolean
  readonly why: string
  /** Nobody proves what the server answers: reported, not asserted. */
  readonly ambiguous?: boolean
  readonly expect?: { status: number; errors: string[] }
  /** Texts too long for a file: `char` repeated `count` times belongs at `path`. */
  readonly expand?: { path: string; char: string; count: number }[]
}

const vectors = globSync('test/fixtures/event-vectors/*.json').map(
  (file) => JSON.parse(readFileSync(file, 'utf8')) as Vector,
)

test('there are vectors for both endpoints', () => {
  assert.deepEqual([...new Set(vectors.map(({ endpoint }) => endpoint))].toSorted(), [
    '/v2/change/enqueue',
    '/v2/enqueue',
  ])
})

for (const vector of vectors) {
  const { name, endpoint, valid, ambiguous, expect, why } = vector
  test(`${name} is ${valid ? 'accepted' : 'refused'}`, (t) => {
    const judge = endpoint === '/v2/enqueue' ? judgeAlert : judgeChange
    const verdict = judge(Buffer.from(JSON.stringify(expand(vector))), () => true)
    if (ambiguous) {
      if (verdict.accepted !== valid) t.diagnostic(`read otherwise here: ${why}`)
      return
    }
    assert.equal(verdict.accepted, valid, why)
    if (expect === undefined || verdict.accepted) return
    assert.equal(verdict.answer.status, expect.status)
    assert.deepEqual(verdict.reasons, expect.errors)
  })
}

function expand({ body, expand: texts = [] }: Vector): unknown {
  for (const { path, char, count } of texts) {
    const names = path.split('.')
    const last = names.pop() ?? ''
    const parent = names.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), body)
    assert.ok(isObject(parent), path)
    Object.assign(parent, { [last]: char.repeat(count) })
  }
  return body
}
