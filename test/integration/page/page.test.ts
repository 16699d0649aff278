import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { startSimulator, type Simulator } from '../../../tools/simulator/simulator.ts'
import { openPage, startBrowser, temporarySpool } from '../../support/browser.ts'
import { CODESHIP_PRO, KEY } from '../../support/program.ts'
import { alertBody, launchRelay, post, startRelay, type RunningRelay } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'
import { until } from '../../support/until.ts'

const skip = skipWithout('chromium')
const REFUSED = { kind: 'answer', status: 400, body: 'Invalid routing key' } as const
const BUSY = {
  kind: 'answer',
  status: 429,
  headers: { 'retry-after': '2' },
  body: 'Too many requests',
} as const

let browser: Browser
let simulator: Simulator
let relay: RunningRelay
const spool = temporarySpool()

const environment = (): Record<string, string> => ({
  ...CODESHIP_PRO,
  PAGERDUTY_TOKEN: KEY,
  PAGERDUTY_EVENTS_URL: simulator.url,
  PAGERDUTY_SPOOL: spool.directory,
})

if (skip === false) {
  before(async () => {
    browser = await startBrowser()
    simulator = await startSimulator()
    relay = await startRelay(environment())
  })
  beforeEach(async () => {
    simulator.reset()
    await until(async () => (await counts()).pending === 0, 'the test before is over')
    await post(`${relay.url}/events/discard`, {})
  })
  after(async () => {
    await browser.close()
    await relay.stop()
    await simulator.close()
    spool.remove()
  })
}

interface Counts {
  readonly pending: number
  readonly delivered: number
  readonly dead: number
}

async function counts(): Promise<Counts> {
  const answer = (await (await fetch(`${relay.url}/events?status=dead`)).json()) as { counts: Counts }
  return answer.counts
}

async function send(dedupKey: string, summary = `Disk of ${dedupKey} is full`): Promise<void> {
  const payload = { summary, source: 'db-1', severity: 'critical' }
  const answer = await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: dedupKey, payload }))
  assert.equal(answer.status, 202)
}

/** Dead events with these dedup keys. */
async function sendDead(...dedupKeys: readonly string[]): Promise<void> {
  simulator.behave({ behaviour: REFUSED })
  for (const dedupKey of dedupKeys) await send(dedupKey)
  await until(async () => (await counts()).dead === dedupKeys.length, 'they are dead')
  simulator.reset()
}

test('the sentence on top says whether PagerDuty has everything', { skip }, async () => {
  const { page } = await openPage(browser, `${relay.url}/#relay`)
  await page.getByText('PagerDuty has every event').waitFor()
  await sendDead('one', 'two')
  await page.getByText('2 events are dead: retry or discard them').waitFor()
  await post(`${relay.url}/events/discard`, {})
  await page.getByText('PagerDuty has every event').waitFor()
  simulator.behave({ behaviour: BUSY })
  await send('three')
  await page.getByText('1 event waits: 429').waitFor()
  simulator.reset()
  await page.getByText('PagerDuty has every event').waitFor()
})

test('a dead event is retried by its button, and the page shows it delivered', { skip }, async () => {
  await sendDead('fixed')
  const { page, troubles } = await openPage(browser, `${relay.url}/#deliveries?status=dead`)
  await page.getByRole('button', { name: 'Retry Disk of fixed is full' }).click()
  const row = page.getByRole('row').filter({ hasText: 'fixed' })
  await row.getByText('delivered').waitFor()
  assert.deepEqual(
    simulator.alerts.map(({ dedupKey }) => dedupKey),
    ['fixed'],
  )
  assert.deepEqual(troubles, [])
})

test('a bulk retry says first how many it would be, and cancel does nothing', { skip }, async () => {
  await sendDead('first', 'second', 'other')
  const { page } = await openPage(browser, `${relay.url}/#deliveries?status=dead&dedup_key=o`)
  const open = page.getByRole('button', { name: 'Retry all that match…' })
  await open.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('PagerDuty may page for 2 of them.').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  assert.deepEqual([(await counts()).dead, simulator.requests.length], [3, 0])
  await open.click()
  await dialog.getByRole('button', { name: 'Retry 2 events' }).click()
  await until(async () => {
    const { dead, pending } = await counts()
    return dead === 1 && pending === 0
  }, 'two are sent')
  assert.deepEqual(simulator.alerts.map(({ dedupKey }) => dedupKey).toSorted(), ['other', 'second'])
})

test('a dead event is discarded only with a reason, which stays in the list', { skip }, async () => {
  await sendDead('obsolete')
  const { page } = await openPage(browser, `${relay.url}/#deliveries?status=dead`)
  await page.getByRole('link', { name: 'Disk of obsolete is full' }).click()
  await page.getByText(/the US region has/).waitFor()
  await page.getByRole('button', { name: 'Discard…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Discard' }).click()
  assert.equal((await counts()).dead, 1)
  await dialog.getByLabel('Reason').fill('told by phone')
  await dialog.getByRole('button', { name: 'Discard' }).click()
  await page.goto(`${relay.url}/#deliveries?status=discarded`)
  await page.getByText('(discarded: told by phone)').first().waitFor()
})

test('filters are in the address, and survive a reload and the way back', { skip }, async () => {
  await sendDead('filtered')
  const { page } = await openPage(browser, `${relay.url}/#deliveries`)
  await page.getByLabel('Status').selectOption('dead')
  await page.waitForURL(/#deliveries\?status=dead$/)
  await page.getByLabel('Dedup key').fill('FILTER')
  await page.getByLabel('Dedup key').press('Enter')
  await page.waitForURL(/dedup_key=FILTER/)
  await page.reload()
  await page.getByRole('link', { name: 'Disk of filtered is full' }).waitFor()
  assert.equal(await page.getByLabel('Status').inputValue(), 'dead')
  await page.goBack()
  await page.waitForURL(/#deliveries\?status=dead$/)
  assert.equal(await page.getByLabel('Dedup key').inputValue(), '')
})

test('a change appears without moving what somebody reads or types', { skip }, async () => {
  await send('before')
  const { page } = await openPage(browser, `${relay.url}/#deliveries`)
  await page.getByRole('link', { name: 'before' }).first().waitFor()
  await page.getByLabel('Routing key').pressSequentially('…ab')
  await page.getByRole('link', { name: 'before' }).first().hover()
  const place = await page.getByRole('link', { name: 'before' }).first().boundingBox()
  assert.ok(place !== null)
  const rows = await page.getByRole('row').count()
  await send('later')
  await page.getByRole('button', { name: '1 new row: show' }).waitFor()
  assert.equal(await page.getByLabel('Routing key').inputValue(), '…ab')
  assert.equal(await page.evaluate('document.activeElement.name'), 'key')
  assert.equal(await page.getByRole('row').count(), rows)
  assert.deepEqual(await page.getByRole('link', { name: 'before' }).first().boundingBox(), place)
})

test('a relay that ends and comes back is noticed, and no row is lost or doubled', { skip }, async () => {
  await send('stays')
  const { page } = await openPage(browser, `${relay.url}/#deliveries?dedup_key=stays`)
  await page.getByRole('link', { name: 'stays' }).waitFor()
  await page.getByText('Live', { exact: true }).waitFor()
  const { port } = new URL(relay.url)
  await relay.stop()
  const lost = page.getByText(/Connection lost at \d\d:\d\d; what you see may be old/)
  await lost.waitFor()
  const failed = page.waitForEvent('requestfailed', (request) => request.url().includes('/deployments'))
  await page.evaluate("location.hash = '#deployments'")
  await failed
  await page.goBack()
  assert.ok(await lost.isVisible(), 'what cannot be loaded now does not hide why')
  const { url } = relay
  const { program, url: printed } = launchRelay({ ...environment(), PAGERDUTY_RELAY_PORT: port })
  printed.catch(() => undefined) // with a port of its own it prints no address
  relay = {
    ...relay,
    url,
    program,
    stop: async () => {
      program.child.kill()
      return await program.ended
    },
  }
  await page.getByText('Live', { exact: true }).waitFor()
  await send('stays')
  await page.getByRole('button', { name: '1 new row: show' }).click()
  assert.equal(await page.getByRole('link', { name: 'stays' }).count(), 2)
})

test('hostile texts stay text', { skip }, async () => {
  const hostile = `<img src=x onerror=alert(1)> \u202Egnp.exe ${'W'.repeat(10_000)}`
  const body = JSON.stringify({ status: 'invalid event', errors: [`<script>alert(2)</script>${hostile}`] })
  simulator.behave({ behaviour: { ...REFUSED, body } })
  await send(`"><svg onload=alert(3)>`, hostile)
  await until(async () => (await counts()).dead === 1, 'it is dead')
  const { page, troubles, requests } = await openPage(browser, `${relay.url}/#deliveries?status=dead`, {
    width: 320,
  })
  await page.getByRole('link', { name: '<img src=x' }).click()
  await page.getByText('alert(2)').first().waitFor()
  assert.equal(await page.locator('main img, main svg, main script').count(), 0)
  const widths = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[]
  assert.equal(widths[0], widths[1], 'nothing is wider than the page')
  assert.deepEqual(troubles, [])
  assert.deepEqual([...new Set(requests.map((url) => new URL(url).origin))], [relay.url])
})

test('everything can be done with the keyboard, in order', { skip }, async () => {
  await sendDead('typed')
  const { page } = await openPage(browser, `${relay.url}/#deliveries?status=dead`)
  const retry = page.getByRole('button', { name: 'Retry Disk of typed is full' })
  await retry.waitFor()
  const names: string[] = []
  for (let presses = 0; presses < 20; presses++) {
    await page.keyboard.press('Tab')
    const name = String(
      await page.evaluate(
        '(document.activeElement.labels?.[0]?.firstChild ?? document.activeElement).textContent.trim()',
      ),
    )
    names.push(name)
    if (name === 'Retry') break
  }
  assert.deepEqual(names, [
    'Skip to content',
    'Now',
    'Deployments',
    'Deliveries',
    'Relay',
    'Pause',
    'Status',
    'Kind',
    'Last answer',
    'Routing key',
    'Dedup key',
    'Retry all that match…',
    'Disk of typed is full',
    'Retry',
  ])
  await page.keyboard.press('Enter')
  await until(async () => (await counts()).dead === 0, 'it is sent')
  await page.getByRole('link', { name: 'Skip to content' }).press('Enter')
  assert.equal(await page.evaluate('document.activeElement.id'), 'main')
  assert.match(page.url(), /#deliveries\?status=dead$/)
  await page.getByRole('link', { name: 'typed' }).press('Enter')
  await page.getByRole('button', { name: 'Copy as text' }).waitFor()
  assert.equal(await page.evaluate('document.activeElement.id'), 'main', 'the link with the focus is gone')
})
