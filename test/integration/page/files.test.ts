import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { request } from 'node:http'
import { temporarySpool } from '../../support/browser.ts'
import { CODESHIP_PRO, KEY } from '../../support/program.ts'
import { post, startRelay, type RunningRelay } from '../../support/relay.ts'

const spool = temporarySpool()
const ENV = { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:9' }
const TOKEN = 'the-token-of-the-relay'
let relay: RunningRelay

before(async () => {
  relay = await startRelay({ ...ENV, PAGERDUTY_SPOOL: spool.directory, PAGERDUTY_RELAY_TOKEN: TOKEN })
})
after(async () => {
  await relay.stop()
  spool.remove()
})

const FILES = ['/', '/ui/page.css', '/ui/page.js', '/ui/icon.svg']

interface Answer {
  readonly status: number | undefined
  readonly headers: Record<string, string | string[] | undefined>
  readonly bytes: Buffer
}

/** As `fetch`, which would unpack the body. */
async function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    request(relay.url + path, { headers: { accept: 'text/html', ...headers } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, bytes: Buffer.concat(chunks) }),
      )
    })
      .on('error', reject)
      .end()
  })
}

test('the page is at most 30 kB, and 10 kB as it is sent to a browser', async () => {
  const plain = await Promise.all(FILES.map((path) => get(path)))
  const packed = await Promise.all(FILES.map((path) => get(path, { 'accept-encoding': 'gzip, br' })))
  const total = (answers: readonly Answer[]): number =>
    answers.map(({ bytes }) => bytes.length).reduce((a, b) => a + b)
  assert.ok(total(plain) <= 30_000, `${total(plain)} bytes`)
  assert.ok(total(packed) <= 10_000, `${total(packed)} bytes with gzip`)
  for (const [index, { headers, bytes }] of packed.entries()) {
    assert.equal(headers['content-encoding'], 'gzip')
    assert.deepEqual(gunzipSync(bytes), plain[index]?.bytes)
  }
})

test('a browser that refuses gzip gets the files as they are', async () => {
  for (const coding of ['identity', 'gzip;q=0', 'br, gzip; q=0.0', 'x-gzip-like'])
    assert.equal(
      (await get('/ui/page.js', { 'accept-encoding': coding })).headers['content-encoding'],
      undefined,
    )
})

test('a browser that has a file is told that it is still the same', async () => {
  for (const path of FILES.slice(1)) {
    const { headers } = await get(path)
    assert.equal(headers['cache-control'], 'no-cache')
    const again = await get(path, { 'if-none-match': String(headers['etag']) })
    assert.deepEqual([again.status, again.bytes.length], [304, 0], path)
  }
  assert.equal((await get('/')).headers['cache-control'], 'no-store')
})

test('each file of the page is protected', async () => {
  for (const path of FILES) {
    const { headers } = await get(path)
    assert.match(String(headers['content-security-policy']), /^default-src 'none'; script-src 'self'; /, path)
    assert.match(String(headers['content-security-policy']), /require-trusted-types-for 'script'$/)
    assert.deepEqual(
      [headers['x-content-type-options'], headers['referrer-policy'], headers['cross-origin-opener-policy']],
      ['nosniff', 'same-origin', 'same-origin'],
    )
  }
})

test('a browser without scripts logs in, and reads how things stand', async () => {
  const logIn = async (token: string): Promise<Response> =>
    await fetch(`${relay.url}/ui/session`, {
      method: 'POST',
      body: new URLSearchParams({ token }),
      redirect: 'manual',
    })
  const loggedOut = (await get('/')).bytes.toString()
  assert.match(loggedOut, /<form id=login action/)
  assert.match(loggedOut, /<noscript><\/noscript>/)
  const wrong = await logIn('<b>wrong</b>')
  assert.equal(wrong.status, 401)
  assert.match(await wrong.text(), /role=alert>this is not the relay’s token</)
  await post(`${relay.url}/failure`, { summary: '<b>Broken</b>' }, { authorization: `Bearer ${TOKEN}` })
  const right = await logIn(TOKEN)
  assert.deepEqual([right.status, right.headers.get('location')], [303, '/'])
  const [cookie = ''] = right.headers.getSetCookie()
  const html = (await get('/', { cookie })).bytes.toString()
  assert.match(html, /<form id=login hidden/)
  assert.match(html, /<th scope="row">&lt;b&gt;Broken&lt;\/b&gt;<\/th>/)
  assert.match(html, /<noscript><p class="big/)
})
