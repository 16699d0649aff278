import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messageLength } from '../../../bench/http-message.ts'

test('a message is as long as its head and the length that it tells', () => {
  const head = 'HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n'
  assert.equal(messageLength(head), head.length + 2)
  assert.equal(messageLength(`${head}{}HTTP/1.1`), head.length + 2)
})

test('a head that is not whole has no length yet, and one without a length is an error', () => {
  assert.equal(messageLength('HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n'), undefined)
  assert.throws(() => messageLength('HTTP/1.1 204 No Content\r\n\r\n'), /without a length/)
})
