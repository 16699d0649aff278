import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEnvFile } from '../../../tools/codeship/env-file.ts'

test('lines of KEY=value are read as Docker reads them', () => {
  const text = [
    '\uFEFF# a comment',
    '',
    'A=1',
    '  B=two words ',
    'C="quoted"',
    'D=',
    'E=a=b#c',
    'A=later\r',
    '',
  ].join('\n')
  assert.deepEqual(parseEnvFile('env', text), {
    A: 'later',
    B: 'two words ',
    C: '"quoted"',
    D: '',
    E: 'a=b#c',
  })
})

for (const line of ['SECRET', 'key: SECRET', '=SECRET', 'a SECRET=1']) {
  test(`"${line}" is refused by its place, and not repeated`, () => {
    assert.throws(() => parseEnvFile('env', `A=1\n${line}\n`), {
      kind: 'config',
      message: 'env:2: is not KEY=value',
    })
  })
}
