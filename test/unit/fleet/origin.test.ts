import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readOrigin } from '../../../src/fleet/origin.ts'
import { temporaryDirectory } from '../../support/spool.ts'

test('a directory keeps its name and its mark; a copy has the name, and another mark', (t) => {
  const directory = temporaryDirectory(t)
  const first = readOrigin(directory, 'web-1')
  assert.match(first.name, /^web-1-[\da-f]{8}$/)
  assert.match(first.directoryMark ?? '', /^[\da-f]{16}$/)
  assert.deepEqual(readOrigin(directory, 'web-1'), { ...first, isNew: false })
  const copy = join(temporaryDirectory(t), 'copy')
  cpSync(directory, copy, { recursive: true })
  const copied = readOrigin(copy, 'web-1')
  assert.equal(copied.name, first.name)
  assert.notEqual(copied.directoryMark, first.directoryMark)
})
