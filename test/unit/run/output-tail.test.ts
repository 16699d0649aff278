import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createTail } from '../../../src/run/output-tail.ts'

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
  assert.ok(text.length <= 256 * 1024 && text.length > 100 * 1024)
  assert.match(text, /^\[a line of more than 16 KiB\]\nline \d+\n/)
  assert.ok(text.endsWith('\nline 99999'))
})

test('a long line is a note, however it is cut into chunks, and so is one whose start is lost', () => {
  const tail = createTail()
  const stream = tail.stream()
  for (let count = 0; count < 1000; count++) stream.write(Buffer.alloc(1000, 'x'))
  stream.write(Buffer.from('\nend\n'))
  assert.equal(tail.text(), '[a line of more than 16 KiB]\nend')
  assert.equal(tailOf('a\n', 'x'.repeat(16 * 1024 + 1)), 'a\n[a line of more than 16 KiB]')
  assert.equal(tailOf('x'.repeat(16 * 1024)), 'x'.repeat(16 * 1024))
})

test('a progress bar that has printed for hours still shows its last state', () => {
  const tail = createTail()
  const stream = tail.stream()
  for (let count = 0; count <= 100_000; count++) stream.write(Buffer.from(`\r${count} of 100000`))
  assert.equal(tail.text(), '100000 of 100000')
})

test('however the bytes come, each stream has the lines that it wrote, in their order', () => {
  const lines = fc.array(fc.string({ unit: fc.constantFrom('a', 'é', ' ', '😀'), maxLength: 9 }))
  const cuts = fc.array(fc.tuple(fc.nat(1), fc.integer({ min: 1, max: 7 })), { maxLength: 200 })
  fc.assert(
    fc.property(lines, lines, cuts, (out, err, turns) => {
      const tail = createTail()
      const streams = [tail.stream(), tail.stream()]
      const rest = [out, err].map((texts, index) =>
        Buffer.from(texts.map((text) => `${index}${text}\n`).join('')),
      )
      for (const [index, size] of [...turns, [0, 9999], [1, 9999]] as const) {
        streams[index]!.write(rest[index]!.subarray(0, size))
        rest[index] = rest[index]!.subarray(size)
      }
      const kept = tail.text().split('\n')
      for (const [index, texts] of [out, err].entries()) {
        const own = kept.filter((line) => line.startsWith(`${index}`)).map((line) => line.slice(1))
        assert.deepEqual(own, texts)
      }
    }),
  )
})
