import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { openPage, startBrowser, temporarySpool } from '../../support/browser.ts'
import { CODESHIP_PRO, KEY } from '../../support/program.ts'
import { post, startRelay, type RunningRelay } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'

const TOKEN = 'the-token-that-may-act'
const VIEW_TOKEN = 'the-token-that-may-look'
const spool = temporarySpool()
const ENV = {
  ...CODESHIP_PRO,
  PAGERDUTY_TOKEN: KEY,
  PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:9',
  PAGERDUTY_SPOOL: spool.directory,
}
let relay: RunningRelay

before(async () => {
  relay = await startRelay({ ...ENV, PAGERDUTY_RELAY_TOKEN: TOKEN, PAGERDUTY_RELAY_VIEW_TOKEN: VIEW_TOKEN })
})
after(async () => {
  await relay.stop()
  spool.remove()
})

async function logIn(token: string): Promise<Response> {
  return await post(`${relay.url}/ui/session`, { token })
}

async function cookieOf(token: string): Promise<string> {
  const [cookie = ''] = (await logIn(token)).headers.getSetCookie()
  assert.match(cookie, /; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/)
  return cookie.split(';')[0] ?? ''
}

async function statusOf(method: string, path: string, headers: Record<string, string>): Promise<number> {
  const body =
    method === 'POST'
      ? { body: '{}', headers: { ...headers, 'content-type': 'application/json' } }
      : { headers }
  return (await fetch(relay.url + path, { method, ...body })).status
}

test('the page holds nothing and needs no token; what it shows does', async () => {
  for (const path of ['/ui/page.js', '/ui/page.css', '/ui/icon.svg'])
    assert.equal(await statusOf('GET', path, {}), 200, path)
  assert.equal(await statusOf('GET', '/', { accept: 'text/html' }), 200)
  assert.equal(await statusOf('GET', '/', {}), 401)
  for (const path of ['/status', '/events', '/events/1', '/events/live'])
    assert.equal(await statusOf('GET', path, {}), 401, path)
})

test('a cookie opens the routes of the page, and none that sends', async () => {
  const cookie = await cookieOf(TOKEN)
  assert.equal(await statusOf('GET', '/status', { cookie }), 200)
  assert.equal(await statusOf('POST', '/events/retry', { cookie }), 200)
  for (const path of ['/v2/enqueue', '/v2/change/enqueue', '/success', '/failure', '/events/discard'])
    assert.equal(await statusOf('POST', path, { cookie }), 401, path)
  assert.equal(await statusOf('GET', '/metrics', { cookie }), 401)
})

test('the view token reads, and neither it nor its cookie acts', async () => {
  for (const headers of [{ cookie: await cookieOf(VIEW_TOKEN) }, { authorization: `Bearer ${VIEW_TOKEN}` }]) {
    const status = (await (await fetch(`${relay.url}/status`, { headers })).json()) as { may_act: boolean }
    assert.equal(status.may_act, false)
    assert.equal(await statusOf('POST', '/events/retry', headers), 403)
    assert.equal(await statusOf('POST', '/events/1/discard', headers), 403)
  }
  for (const path of ['/v2/enqueue', '/success', '/events/discard'])
    assert.equal(await statusOf('POST', path, { authorization: `Bearer ${VIEW_TOKEN}` }), 403, path)
})

test('a relay that asks for no token takes a link that has one', async (t) => {
  const open = await startRelay({
    ...CODESHIP_PRO,
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_EVENTS_URL: ENV.PAGERDUTY_EVENTS_URL,
  })
  t.after(() => open.stop())
  const answer = await post(`${open.url}/ui/session`, { token: 'of-an-old-link' })
  assert.deepEqual([answer.status, await answer.json()], [200, { logged_in: false }])
  assert.deepEqual(answer.headers.getSetCookie(), [])
})

test('a cookie that was altered is worth nothing', async () => {
  const cookie = await cookieOf(VIEW_TOKEN)
  for (const altered of [
    cookie.replace('.view.', '.act.'),
    cookie.replace(/=\d+/, '=9999999999'),
    `${cookie}x`,
    cookie.slice(0, -1),
  ])
    assert.equal(await statusOf('GET', '/status', { cookie: altered }), 401, altered.replace(/\..*/, ''))
})

test('a web page of another site can neither read nor act', async () => {
  const headers = { authorization: `Bearer ${TOKEN}` }
  for (const [method, path] of [
    ['GET', '/status'],
    ['GET', '/events/live'],
    ['POST', '/events/retry'],
    ['POST', '/ui/session'],
  ] as const)
    for (const foreign of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }])
      assert.equal(await statusOf(method, path, { ...headers, ...foreign }), 403, path)
})

test(
  'in a browser, a form, a fetch and a frame of another site get nothing',
  { skip: skipWithout('chromium') },
  async () => {
    const evil = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end(
        `<iframe name=f src="${relay.url}/"></iframe><form id=g method=post target=f action="${relay.url}/events/retry"></form>`,
      )
    })
    evil.listen(0, '127.0.0.1')
    const browser: Browser = await startBrowser()
    try {
      const { port } = evil.address() as AddressInfo
      const { page } = await openPage(browser, `http://localhost:${port}/`)
      const refused = await page.evaluate(
        `fetch(${JSON.stringify(`${relay.url}/status`)}, { credentials: 'include' }).then(() => 'read', () => 'refused')`,
      )
      assert.equal(refused, 'refused')
      const frame = page.frames()[1]
      assert.equal(await frame?.locator('#headline').count(), 0)
      const [answer] = await Promise.all([
        page.waitForResponse((response) => response.url().endsWith('/events/retry')),
        page.evaluate('document.getElementById("g").submit()'),
      ])
      assert.equal(answer.status(), 403)
    } finally {
      await browser.close()
      evil.close()
    }
  },
)

test(
  'in a browser, somebody logs in to look, sees no button that acts, and logs out',
  { skip: skipWithout('chromium') },
  async () => {
    const browser: Browser = await startBrowser()
    try {
      const { page, context, troubles } = await openPage(browser, `${relay.url}/#deliveries`)
      await page.getByLabel('Token').waitFor()
      assert.deepEqual(troubles, [])
      await page.getByLabel('Token').fill('wrong')
      await page.getByRole('button', { name: 'Log in' }).click()
      await page.getByText('this is not the relay’s token').waitFor()
      await page.getByLabel('Token').fill(VIEW_TOKEN)
      await page.getByRole('button', { name: 'Log in' }).click()
      await page.getByText('Live', { exact: true }).waitFor()
      assert.equal(await page.getByRole('button', { name: /Retry|Discard/ }).count(), 0)
      await page.setViewportSize({ width: 320, height: 700 })
      const [logo, leave] = await Promise.all(
        [page.getByRole('banner').locator('img'), page.getByRole('button', { name: 'Log out' })].map((each) =>
          each.boundingBox(),
        ),
      )
      assert.ok(logo && leave && leave.y < logo.y + logo.height, 'on a phone the header’s top is one row')
      const [cookie] = await context.cookies()
      assert.deepEqual([cookie?.httpOnly, cookie?.sameSite], [true, 'Strict'])
      await page.getByRole('button', { name: 'Log out' }).click()
      await page.getByLabel('Token').waitFor()
      assert.deepEqual(await context.cookies(), [])
      await page.goto('about:blank')
      await page.goto(`${relay.url}/#token=${VIEW_TOKEN}`)
      await page.getByText('Live', { exact: true }).waitFor()
      assert.doesNotMatch(page.url(), /token/)
      // In the open page, too, and a wrong one takes nothing away.
      await page.evaluate(`location.hash = 'token=%'`)
      await page.getByRole('dialog').getByText('this is not the relay’s token').waitFor()
      await page.getByRole('button', { name: 'Close' }).click()
      await page.goto('about:blank')
      await page.goto(`${relay.url}/#token=%`)
      await page.getByRole('dialog').getByText('this is not the relay’s token').waitFor()
      await page.getByText('Live', { exact: true }).waitFor()
      assert.doesNotMatch(page.url(), /token/)
    } finally {
      await browser.close()
    }
  },
)

test(
  'in a browser that runs no script, somebody logs in by the form',
  { skip: skipWithout('chromium') },
  async () => {
    const browser: Browser = await startBrowser()
    try {
      const context = await browser.newContext({ javaScriptEnabled: false })
      const page = await context.newPage()
      await page.goto(relay.url)
      await page.getByLabel('Token').fill(VIEW_TOKEN)
      await page.getByRole('button', { name: 'Log in' }).click()
      await page.locator('noscript .big').waitFor()
    } finally {
      await browser.close()
    }
  },
)

test('the sixth wrong token of a minute is not even compared', async () => {
  const answers: number[] = []
  for (let tries = 0; tries < 7; tries++) answers.push((await logIn('wrong')).status)
  assert.ok(answers.every((status) => status === 401 || status === 429))
  assert.deepEqual([answers.at(-1), (await logIn(TOKEN)).status], [429, 429])
})

for (const [ui, host, token, isThere] of [
  ['auto', '127.0.0.1', undefined, true],
  ['auto', '0.0.0.0', undefined, false],
  ['auto', '0.0.0.0', TOKEN, true],
  ['on', '0.0.0.0', undefined, true],
  ['off', '127.0.0.1', TOKEN, false],
] as const)
  test(`with PAGERDUTY_RELAY_UI=${ui} on ${host} ${token === undefined ? 'without' : 'with'} a token there is ${isThere ? 'a' : 'no'} page`, async () => {
    const own = await startRelay({
      ...CODESHIP_PRO,
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:9',
      PAGERDUTY_RELAY_UI: ui,
      PAGERDUTY_RELAY_HOST: host,
      ...(token !== undefined && { PAGERDUTY_RELAY_TOKEN: token }),
    })
    const address = `http://127.0.0.1:${new URL(own.url).port}`
    const headers = { accept: 'text/html', ...(token !== undefined && { authorization: `Bearer ${token}` }) }
    const answer = await fetch(address, { headers })
    assert.equal(answer.headers.get('content-type')?.startsWith('text/html'), isThere)
    assert.equal((await fetch(`${address}/ui/page.js`, { headers })).status, isThere ? 200 : 404)
    await own.stop()
  })
