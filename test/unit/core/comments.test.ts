import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blankComments } from '../../../src/core/json.ts'

const CASES: readonly [what: string, text: string, expected: string][] = [
  ['a line', '1 // one\n2', '1       \n2'],
  ['a block over lines', '1 /* a\r\n b */ 2', '1     \r\n      2'],
  ['a string that looks like one', '{"a":"http://x /* y */"}', '{"a":"http://x /* y */"}'],
  ['a quote inside a string', String.raw`{"a":"\"// x"} // y`, `${String.raw`{"a":"\"// x"}`}     `],
  ['a quote inside a comment', '1 // it"s\n"// kept"', '1        \n"// kept"'],
  ['a block that never ends', '1 /* x', '1 /* x'],
]
for (const [what, text, expected] of CASES) {
  test(`comments become blanks: ${what}`, () => assert.equal(blankComments(text), expected))
}
