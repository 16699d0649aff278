import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTail } from '../../../src/run/tail.ts'

function tailOf(...chunks: (string | Buffer)[]): string {
  const tail = createTail()
  const stream = tail.stream()
  for (const chunk of chunks) stream.write(Buffer.from(chunk))
  return tail.text()
}

test('lines are kept in order, the unfinished one last', () => {
  assert.equal(tailOf('a\nb', 'c\n', 'd'), 'a\nbc\nd')
  assert.equal(tailOf(''), '')
  assert.equal(tailOf('\n\n'), '\n')
})

test('a character split between two chunks arrives whole', () => {
  const bytes = Buffer.from('é😀\n')
  assert.equal(tailOf(...[...bytes].map((byte) => Buffer.from([byte]))), 'é😀')
})

test('two streams never mix inside a line', () => {
  const tail = createTail()
  const [out, err] = [tail.stream(), tail.stream()]
  out.write(Buffer.from('out '))
  err.write(Buffer.from('err line\n'))
  out.write(Buffer.from('line\nrest'))
  assert.equal(tail.text(), 'err line\nout line\nrest')
})

test('a progress bar leaves its last state, and CR LF is a line end', () => {
  assert.equal(tailOf('10%\r20%\r', '30%\r100%\ndone\r\n'), '100%\ndone')
  assert.equal(tailOf('10%\r', '20%'), '20%')
  assert.equal(tailOf('a\r', '\nb'), 'a\nb')
})

test('only the end of a long output is kept, in whole lines', () => {
  const lines = Array.from({ length: 100_000 }, (_, index) => `line ${index}`)
  const text = tailOf(`${lines.join('\n')}\n`)
  assert.ok(text.length <= 256 * 1024 && text.length > 250 * 1024)
  assert.ok(text.startsWith('line ') && text.endsWith('line 99999'))
})

test('a line of any length takes no memory but that of a note', () => {
  const tail = createTail()
  const stream = tail.stream()
  for (let count = 0; count < 1000; count++) stream.write(Buffer.alloc(64 * 1024, 'x'))
  stream.write(Buffer.from('\nend\n'))
  assert.equal(tail.text(), `[a line of ${1000 * 64 * 1024} bytes]\nend`)
})
