import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findConflicts, type Member } from '../../../src/fleet/member-conflicts.ts'

const member = (more: Partial<Member> = {}): Member => ({
  relay: 'web-1',
  directoryMark: 'directory 1',
  secretMark: 'secret',
  keyMarks: new Map([['default', 'key']]),
  startedMsAgo: 60_000,
  seenMsAgo: 1000,
  ...more,
})
const other = (more: Partial<Member> = {}): Member =>
  member({ relay: 'web-2', directoryMark: 'directory 2', ...more })

test('relays with keys and directories of their own fit together', () => {
  assert.deepEqual(findConflicts([member(), other(), member()]), [])
})

test('one name for different keys is a conflict that names the relays of each', () => {
  const different = new Map([
    ['default', 'another key'],
    ['key-2', 'key'],
  ])
  const conflicts = findConflicts([member(), other({ keyMarks: different }), other({ relay: 'web-3' })])
  assert.equal(conflicts.length, 1)
  assert.match(
    conflicts[0] ?? '',
    /under the same name \(default\), one in web-1 and web-3, another in web-2: .*; give all/,
  )
})

test('keys are compared only under the same secret', () => {
  const keyMarks = new Map([['default', 'another key']])
  assert.deepEqual(findConflicts([member(), other({ keyMarks, secretMark: 'the next secret' })]), [])
})

test('a name in two directories at the same time is a copied spool', () => {
  const copy = member({ directoryMark: 'copy', startedMsAgo: 5000, seenMsAgo: 0 })
  assert.match(
    findConflicts([member(), copy])[0] ?? '',
    /^two relays have the name web-1, because .*; stop one/,
  )
})

test('a relay that goes on elsewhere, or two processes with one directory, are not copies', () => {
  const later = { startedMsAgo: 500, seenMsAgo: 0 }
  assert.deepEqual(findConflicts([member(), member({ ...later, directoryMark: 'elsewhere' })]), [])
  assert.deepEqual(findConflicts([member(), member()]), [])
  const { directoryMark: _, ...unknown } = member()
  assert.deepEqual(findConflicts([member(), unknown]), [])
})

test('names that other relays have stored cannot break a line', () => {
  const odd = other({ relay: 'web\n2\u001b[31m', keyMarks: new Map([['default', 'another']]) })
  assert.match(findConflicts([member(), odd])[0] ?? '', /another in web 2 \[31m:/)
})
