import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { bodyOf, HEAD, post, serve } from '../support/one-request.ts'

const ANSWERS: readonly {
  name: string
  sent: readonly string[]
  status?: number
  body: string
  isCutOff: boolean
  ends?: boolean
}[] = [
  { name: 'is whole', sent: [`${HEAD}content-length: 4\r\n\r\nfour`], body: 'four', isCutOff: false },
  {
    name: 'comes byte by byte, in the middle of a character too',
    sent: `${HEAD}content-length: 6\r\n\r\ngr\xc3\xbcn!`.split(''),
    body: 'grün!',
    isCutOff: false,
  },
  { name: 'has no body', sent: ['HTTP/1.1 204 No Content\r\n\r\n'], status: 204, body: '', isCutOff: false },
  {
    name: 'comes in chunks, with a trailer',
    sent: [`${HEAD}transfer-encoding: chunked\r\n\r\n2\r\nfo\r\n`, '2\r\nur\r\n0\r\nx-trailer: 1\r\n\r\n'],
    body: 'four',
    isCutOff: false,
  },
  {
    name: 'follows an informational one',
    sent: ['HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n', `${HEAD}content-length: 2\r\n\r\nok`],
    body: 'ok',
    isCutOff: false,
  },
  {
    name: 'ends with its connection, as it may',
    sent: [`${HEAD}\r\nfour`],
    body: 'four',
    isCutOff: false,
    ends: true,
  },
  {
    name: 'ends with its connection before it is whole',
    sent: [`${HEAD}content-length: 9\r\n\r\nfour`],
    body: 'four',
    isCutOff: true,
    ends: true,
  },
  {
    name: 'ends with its connection between chunks',
    sent: [`${HEAD}transfer-encoding: chunked\r\n\r\n4\r\nfour\r\n`],
    body: 'four',
    isCutOff: true,
    ends: true,
  },
  {
    name: 'breaks its own form in the body',
    sent: [`${HEAD}transfer-encoding: chunked\r\n\r\n4\r\nfour\r\nno number\r\n`],
    body: 'four',
    isCutOff: true,
  },
  {
    name: 'is an error',
    sent: ['HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\nno'],
    status: 503,
    body: 'no',
    isCutOff: false,
  },
]

for (const { name, sent, status = 202, body, isCutOff, ends = false } of ANSWERS) {
  test(`an answer that ${name} is read as far as it comes`, async (t) => {
    const { url } = await serve(t, async (socket) => {
      for (const part of sent) {
        await new Promise((resolve) => socket.write(part, 'latin1', resolve))
        await new Promise((resolve) => setImmediate(resolve))
      }
      if (ends) socket.end()
    })
    assert.deepEqual(await bodyOf(post(t, { url })), [status, body, isCutOff])
  })
}

test('the request goes out with its method, path, query, headers and body', async (t) => {
  const { url, closed } = await serve(t, (socket) => socket.end(`${HEAD}content-length: 0\r\n\r\n`))
  await post(t, { url })
  const lines = (await closed).split('\r\n')
  assert.equal(lines[0], 'POST /v2/enqueue?a=b HTTP/1.1')
  assert.ok(lines.includes('accept: text/plain') && lines.includes('content-length: 2'))
  assert.equal(lines.at(-1), '{}')
})

test('of a header that comes several times the first value is read', async (t) => {
  const { url } = await serve(t, (socket) =>
    socket.write(`${HEAD}Retry-After: 1\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n`),
  )
  const ending = await post(t, { url })
  assert.equal(ending.kind === 'answered' && ending.answer.headers['retry-after'], '1')
})

test('a longer answer than is wanted is cut off, and its connection closed', async (t) => {
  const { url, closed } = await serve(t, (socket) =>
    socket.write(`${HEAD}content-length: 1000000\r\n\r\n${'x'.repeat(5000)}`),
  )
  const ending = post(t, { url, request: { maxAnswerBytes: 10 } })
  assert.deepEqual(await bodyOf(ending), [202, 'xxxxxxxxxx', true])
  await closed
})

const NO_ANSWERS: readonly { name: string; meet: (socket: Socket) => unknown; code: RegExp }[] = [
  { name: 'closes the connection', meet: (socket) => socket.end(), code: /^UND_ERR_SOCKET$/ },
  { name: 'resets the connection', meet: (socket) => socket.resetAndDestroy(), code: /^ECONNRESET$/ },
  {
    name: 'closes it within the head',
    meet: (socket) => socket.end(`${HEAD}content-`),
    code: /^(?:HPE_|UND_ERR_SOCKET)/,
  },
  {
    name: 'speaks something else',
    meet: (socket) => socket.write('SSH-2.0-x\r\n'),
    code: /^HTTPParserError$/,
  },
  {
    name: 'sends an informational answer alone',
    meet: (socket) => socket.end('HTTP/1.1 103 Early Hints\r\n\r\n'),
    code: /^UND_ERR_SOCKET$/,
  },
]

for (const { name, meet, code } of NO_ANSWERS) {
  test(`a server that ${name} has not answered`, async (t) => {
    const { url } = await serve(t, meet)
    const ending = await post(t, { url })
    assert.ok(ending.kind === 'failed' && ending.error instanceof Error)
    assert.match(String('code' in ending.error ? (ending.error.code ?? ending.error.name) : ''), code)
  })
}
