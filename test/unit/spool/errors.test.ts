import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storeError, storeProblem } from '../../../src/spool/errors.ts'

const makingFailed = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'mkdir' })

for (const [name, error, isReadOnly] of [
  ['a read-only file', storeError('read-only', 8), true],
  ['an extended code of a read-only file', storeError('read-only', 8 | (4 << 8)), true],
  ['a file that cannot be opened', storeError('cannot open', 14), true],
  ['a read-only file system', makingFailed('EROFS'), true],
  ['a full disk, which still has room for results', storeError('full', 13), undefined],
  ['a directory on a full disk', makingFailed('ENOSPC'), undefined],
  ['a file of another user, who may still write results', storeError('permission', 3), undefined],
] as const) {
  test(`${name}: ${isReadOnly ? 'results cannot' : 'results can'} be written`, () => {
    const problem = storeProblem(error)
    assert.equal(problem?.kind, 'unavailable')
    assert.equal(problem?.kind === 'unavailable' && problem.isReadOnly, isReadOnly)
  })
}
