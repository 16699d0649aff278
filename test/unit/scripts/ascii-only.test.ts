import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { inAscii } from '../../../build/ascii-only.ts'

test('code in ASCII does the same', () => {
  const code = '["é’", `“${1}”`, /[–—]/.test("—"), /^[😀-😂]$/u.test("😁"), { naïve: 1 }, "😁".length].join()'
  const escaped = inAscii(code)
  assert.match(escaped, /^\p{ASCII}+$/u)
  assert.equal(runInNewContext(escaped), runInNewContext(code))
})

test('what cannot be escaped is refused', () => {
  assert.throws(() => inAscii("'\\é'"), /cannot be escaped: \\é/)
  assert.throws(() => inAscii('String.raw`a${1}é`'), /cannot be escaped/)
})
