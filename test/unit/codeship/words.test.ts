import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitWords } from '../../../tools/codeship/words.ts'

const PLACE = { kind: 'text', where: 'codeship-steps.yml:3', text: '' } as const

const COMMANDS: [string, string[]][] = [
  ['pagerduty-alert success', ['pagerduty-alert', 'success']],
  ['  npm   test\n  --silent ', ['npm', 'test', '--silent']],
  [`sh -c 'echo "$CI_BRANCH" && exit 1'`, ['sh', '-c', 'echo "$CI_BRANCH" && exit 1']],
  ['echo "a \\"b\\" $c" \'d\'', ['echo', 'a "b" $c', 'd']],
  ['echo a\\ b', ['echo', 'a b']],
  ['make && make test | tee > log', ['make', '&&', 'make', 'test', '|', 'tee', '>', 'log']],
  ['echo # no comment', ['echo', '#', 'no', 'comment']],
  ['echo *.ts ~ {a,b}', ['echo', '*.ts', '~', '{a,b}']],
  ['echo ""', ['echo', '']],
  ['echo grüße 😀', ['echo', 'grüße', '😀']],
]
for (const [command, expected] of COMMANDS) {
  test(`no shell has a say in ${JSON.stringify(command)}`, () => {
    assert.deepEqual(splitWords(command, PLACE), expected)
  })
}

for (const command of ['echo "open', "sh -c 'x", 'echo \\']) {
  test(`${command} is refused with file and line`, () => {
    assert.throws(() => splitWords(command, PLACE), {
      message: 'codeship-steps.yml:3: a quote is not closed, or the last character is a backslash',
    })
  })
}
