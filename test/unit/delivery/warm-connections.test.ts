import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { keepWarm, type Open } from '../../../src/delivery/warm-connections.ts'

const MINUTE = 60_000

/** Opens sockets that are connected to nothing. */
function createOpener(): { open: Open; opened: Duplex[]; finish: () => void } {
  const opened: Duplex[] = []
  const waiting: (() => void)[] = []
  return {
    opened,
    finish: () => waiting.splice(0).forEach((call) => call()),
    open: (callback) => {
      const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
      Object.assign(socket, { ref: () => socket, unref: () => socket })
      opened.push(socket)
      waiting.push(() => callback(null, socket as Socket))
    },
  }
}

test('each connection is taken once, and only when it is open', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const { open, opened, finish } = createOpener()
  const warm = keepWarm(open, 2)
  assert.equal(warm.take(), undefined)
  finish()
  assert.deepEqual(new Set([warm.take(), warm.take()]), new Set(opened))
  assert.equal(warm.take(), undefined)
  warm.close()
  assert.ok(
    opened.every(({ destroyed }) => !destroyed),
    'those that were taken belong to who took them',
  )
})

test('an idle connection is replaced every minute, for ten minutes', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const { open, opened, finish } = createOpener()
  const warm = keepWarm(open, 1)
  for (let minute = 1; minute <= 9; minute++) {
    finish()
    t.mock.timers.tick(MINUTE)
    assert.equal(opened.length, minute + 1)
    assert.deepEqual(opened.map(({ destroyed }) => destroyed).indexOf(false), minute)
  }
  finish()
  t.mock.timers.tick(5 * MINUTE)
  finish()
  assert.equal(opened.filter(({ destroyed }) => !destroyed).length, 0)
  assert.ok(opened.length <= 11)
  assert.equal(warm.take(), undefined)
})

test('a connection that fails to open, or opens too late, is not kept', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const failing = keepWarm((callback) => callback(new Error('refused'), null), 1)
  assert.equal(failing.take(), undefined)
  failing.close()
  const { open, opened, finish } = createOpener()
  const warm = keepWarm(open, 1)
  warm.close()
  finish()
  assert.equal(opened[0]?.destroyed, true)
})

for (const [how, act] of [
  ['closes', (socket: Duplex) => socket.push(null)],
  [
    'says something unasked, such as 408,',
    (socket: Duplex) => socket.push('HTTP/1.1 408 Request Timeout\r\n\r\n'),
  ],
] as const) {
  test(`a connection that the server ${how} is not used`, async (t) => {
    t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    const { open, opened, finish } = createOpener()
    const warm = keepWarm(open, 1)
    finish()
    const [socket] = opened
    assert.ok(socket)
    socket.once('end', () => socket.destroy()) // as a socket does that is not half open
    act(socket)
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    assert.equal(warm.take(), undefined)
    warm.close()
  })
}
