import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createInterimFilter } from '../../../src/delivery/interim-answers.ts'

const FINAL = 'HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}'
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const HINTS = 'HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\nx: \r\n\r\n'

/** What is left of bytes that come in chunks, cut at these places. */
function passed(text: string, cuts: readonly number[] = [], filter = createInterimFilter()): string {
  const bytes = Buffer.from(text, 'latin1')
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  let from = 0
  return ends
    .map((end) => {
      const chunk = filter.pass(bytes.subarray(from, end))
      from = end
      return chunk.toString('latin1')
    })
    .join('')
}

const SKIPPED: Readonly<Record<string, string>> = {
  'a 100': CONTINUE,
  'a 102 without a reason phrase': 'HTTP/1.1 102\r\n\r\n',
  'a 103 with headers': HINTS,
  'a status that nobody knows': 'HTTP/1.1 199 Whatever\r\n\r\n',
  'a switch of protocols': 'HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n',
  'several in a row': HINTS + CONTINUE + HINTS.repeat(20) + CONTINUE,
  'bare line feeds': 'HTTP/1.1 100 Continue\nx: 1\n\n',
  'blank lines around it': `\r\n${CONTINUE}\r\n`,
  'much in a head': `HTTP/1.1 103 Early Hints\r\n${'x-filler: 0123456789\r\n'.repeat(5000)}\r\n`,
}
for (const [name, interim] of Object.entries(SKIPPED)) {
  test(`skipped before an answer: ${name}`, () => {
    assert.equal(passed(interim + FINAL), FINAL)
    assert.equal(
      passed(
        interim + FINAL,
        Array.from(interim + FINAL, (_, at) => at),
      ),
      FINAL,
      'byte by byte',
    )
  })
}

const LET_THROUGH: Readonly<Record<string, string>> = {
  'a final answer': FINAL,
  'what looks like an interim answer in a body': `HTTP/1.1 200 OK\r\n\r\n${CONTINUE}`,
  'another protocol': 'SSH-2.0-OpenSSH\r\n',
  'a status of one digit': 'HTTP/1.1 1\r\n\r\n',
  'a status in letters': 'HTTP/1.1 1xx Odd\r\n\r\n',
  'nothing at all': '',
}
for (const [name, text] of Object.entries(LET_THROUGH)) {
  test(`passed through unchanged: ${name}`, () => assert.equal(passed(text), text))
}

test('wherever packets are split, the parser sees only the final answers', () => {
  const interim = fc.array(fc.constantFrom(CONTINUE, HINTS), { maxLength: 4 }).map((heads) => heads.join(''))
  fc.assert(
    fc.property(fc.array(interim, { minLength: 1, maxLength: 3 }), fc.array(fc.nat()), (answers, cuts) => {
      const filter = createInterimFilter()
      for (const before of answers) {
        filter.expectAnswer()
        assert.equal(passed(before + FINAL, cuts, filter), FINAL)
        assert.equal(filter.status(), 202)
      }
    }),
  )
})

test('a server that sends endless interim answers is left to the parser, which fails', () => {
  assert.notEqual(passed(CONTINUE.repeat(20_000)), '')
})

test('each byte is read once', () => {
  const filter = createInterimFilter()
  const chunk = Buffer.from(`HTTP/1.1 103 Early Hints\r\nx: ${'x'.repeat(100)}`)
  filter.pass(chunk)
  for (let count = 0; count < 3000; count++) assert.equal(filter.pass(Buffer.from('\r\nx')).length, 0)
})
