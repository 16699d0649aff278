import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillTemplate } from '../../../tools/codeship/template.ts'

const VARIABLES = { CI_BRANCH: 'feature/x', CI_COMMIT_ID: 'abc' }

for (const [text, expected] of [
  ['{{ .Branch }}', 'feature/x'],
  ['{{.Branch}}-{{ .CommitID }}', 'feature/x-abc'],
  ['{{ .CommitterName }}', ''],
  ['plain {text}', 'plain {text}'],
] as const) {
  test(`${text} becomes "${expected}"`, () => {
    assert.equal(fillTemplate(text, VARIABLES), expected)
  })
}

test('an unknown field is refused', () => {
  assert.throws(() => fillTemplate('{{ .Barnch }}', VARIABLES), {
    message: /^\.Barnch is not a template field/,
  })
})
