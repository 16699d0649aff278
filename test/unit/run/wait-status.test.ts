import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { endianness } from 'node:os'
import { test } from 'node:test'
import { signalName, unnamedSignal, watchWaitStatus } from '../../../src/run/wait-status.ts'

const PID = 4711

/** The memory of a `uv_process_t` with these members. */
function handle({ type = 10, pid = PID, status = 0, bytes = 136 } = {}): DataView {
  const memory = new DataView(new ArrayBuffer(bytes))
  const write = (offset: number, value: number): void => {
    if (offset + 4 <= bytes) memory.setInt32(offset, value, endianness() === 'LE')
  }
  write(16, type)
  write(104, pid)
  write(128, status)
  return memory
}

test('a status of waitpid(2) for a real-time signal gives its number, with or without a core dump', () => {
  assert.equal(unnamedSignal(handle({ status: 34 }), PID), 34)
  assert.equal(unnamedSignal(handle({ status: 64 }), PID), 64)
  assert.equal(unnamedSignal(handle({ status: 34 | 0x80 }), PID), 34)
})

const SURPRISES: Readonly<Record<string, DataView>> = {
  'no signal': handle({ status: 0 }),
  'an exit code': handle({ status: 34 << 8 }),
  'an exit code and a signal': handle({ status: (1 << 8) | 34 }),
  'a signal that Node has a name for': handle({ status: 15 }),
  'a number that is not a signal': handle({ status: 65 }),
  'a stopped child': handle({ status: 0x7f }),
  'a continued child': handle({ status: 0xffff }),
  'a negative number': handle({ status: -1 }),
  'a handle of another type': handle({ type: 7, status: 34 }),
  'the handle of another child': handle({ pid: PID + 1, status: 34 }),
  'less memory than expected': handle({ bytes: 128, status: 34 }),
  'more memory than expected': handle({ bytes: 144, status: 34 }),
  'nothing but zeros': new DataView(new ArrayBuffer(136)),
}
for (const [what, memory] of Object.entries(SURPRISES)) {
  test(`memory with ${what} says nothing about a signal`, () => {
    assert.equal(unnamedSignal(memory, PID), undefined)
  })
}

test('a process that is not our child has no signal, and looking for it changes no setting of Node’s report', () => {
  const before = JSON.stringify(process.report)
  const status = watchWaitStatus(process.pid)
  status.prepare()
  assert.equal(status.signal(), undefined)
  assert.equal(JSON.stringify(process.report), before)
})

test('a child that exits with 0 has no signal', async () => {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  const status = watchWaitStatus(child.pid ?? 0)
  let signal: number | undefined = -1
  child.once('exit', () => (signal = status.signal()))
  await once(child, 'exit')
  assert.equal(signal, undefined)
})

test('real-time signals have the names that shells give them', () => {
  assert.deepEqual([32, 34, 40].map(signalName), ['signal 32', 'SIGRTMIN+0', 'SIGRTMIN+6'])
})
