import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RELAY_LIMITS } from '../../../src/relay/limits.ts'
import { roomForCallers } from '../../../src/relay/room-for-callers.ts'

const limits = (files: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units
Max core file size        0                    unlimited            bytes
Max open files            ${files.padEnd(20)} ${files.padEnd(20)} files
Max locked memory         8388608              8388608              bytes
`

const { connections, requests } = RELAY_LIMITS

test('callers may hold all files but those that the relay needs itself', () => {
  assert.deepEqual(roomForCallers(limits('1024')), { connections: 896, requests: 843 })
  assert.deepEqual(roomForCallers(limits('64')), { connections: 16, requests: 15 })
  for (const enough of ['1048576', 'unlimited'])
    assert.deepEqual(roomForCallers(limits(enough)), { connections, requests })
  assert.deepEqual(roomForCallers(''), { connections, requests })
})
