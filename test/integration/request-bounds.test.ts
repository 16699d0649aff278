import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { Agent } from 'undici'
import { bodyOf, HEAD, post, serve } from '../support/one-request.ts'

/** Where a request can be when its time is over or its signal aborts. */
const PHASES: readonly { name: string; meet: (socket: Socket) => unknown; body?: string }[] = [
  { name: 'before the answer', meet: () => undefined },
  { name: 'within the head', meet: (socket) => socket.write(`${HEAD}content-`) },
  {
    name: 'after an informational answer',
    meet: (socket) => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'),
  },
  {
    name: 'within the body',
    meet: (socket) => socket.write(`${HEAD}content-length: 9\r\n\r\nfour`),
    body: 'four',
  },
]

for (const { name, meet, body } of PHASES) {
  for (const [how, unanswered] of [
    ['the time is over', 'overdue'],
    ['the signal aborts', 'interrupted'],
  ] as const) {
    test(`if ${how} ${name}, the request ends then, and so does its connection`, async (t) => {
      const abort = new AbortController()
      const { url, closed } = await serve(t, (socket) => {
        meet(socket)
        if (unanswered === 'interrupted') setTimeout(() => abort.abort(), 50)
      })
      const bounds = unanswered === 'overdue' ? { timeoutMs: 500 } : { signal: abort.signal }
      const ending = post(t, { url, bounds })
      if (body === undefined) assert.deepEqual(await ending, { kind: unanswered })
      else assert.deepEqual(await bodyOf(ending), [202, body, true])
      await closed
    })
  }
}

test('the body of a 2xx is waited for no longer than its own time, that of an error is', async (t) => {
  const answer = (status: string) => (socket: Socket) => {
    socket.write(`HTTP/1.1 ${status}\r\ncontent-length: 4\r\n\r\nfo`)
    setTimeout(() => socket.write('ur'), 150)
  }
  const request = { acceptedBodyMs: 20 }
  const accepting = await serve(t, answer('202 Accepted'))
  assert.deepEqual(await bodyOf(post(t, { url: accepting.url, request })), [202, 'fo', true])
  const refusing = await serve(t, answer('400 Bad Request'))
  assert.deepEqual(await bodyOf(post(t, { url: refusing.url, request })), [400, 'four', false])
})

test('a signal that has aborted lets nothing be sent', async (t) => {
  let requests = 0
  const { url } = await serve(t, () => (requests += 1))
  assert.deepEqual(await post(t, { url, bounds: { signal: AbortSignal.abort() } }), { kind: 'interrupted' })
  assert.equal(requests, 0)
})

for (const [how, unanswered] of [
  ['time', 'overdue'],
  ['signal', 'interrupted'],
] as const) {
  test(`a request that waits for a connection ends at once by its ${how}, and is not sent when there is one`, async (t) => {
    const { url } = await serve(t, (socket) => socket.write(`${HEAD}content-length: 0\r\n\r\n`))
    const waiting: ((error: null, socket: Socket) => void)[] = []
    const agent = new Agent({ connect: (_options, callback) => void waiting.push(callback) })
    const abort = new AbortController()
    const bounds = unanswered === 'overdue' ? { timeoutMs: 20 } : { signal: abort.signal }
    const ending = post(t, { url, bounds, agent })
    if (unanswered === 'interrupted') abort.abort()
    assert.deepEqual(await ending, { kind: unanswered })
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port) })
    await new Promise<void>((resolve) => socket.once('connect', resolve))
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    waiting[0]?.(null, socket)
    await ended
    assert.equal(socket.bytesWritten, 0)
  })
}

test('a signal that outlives its requests keeps none of them', async (t) => {
  const { url } = await serve(t, (socket) => socket.write(`${HEAD}content-length: 0\r\n\r\n`))
  const { signal } = new AbortController()
  const ending = post(t, { url, bounds: { signal } })
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  await ending
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})
