import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { get, type IncomingMessage } from 'node:http'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openSpool } from '../../../src/spool/open.ts'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { openPage, startBrowser } from '../../support/browser.ts'
import { formatCount, recordFigure } from '../../support/figures.ts'
import { residentMegabytes } from '../../support/memory.ts'
import { CODESHIP_PRO, KEY } from '../../support/program.ts'
import { alertBody, post, startRelay, type RunningRelay } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'
import { alertItem, temporaryDirectory } from '../../support/spool.ts'

/* The page with much to show. `npm run figures` also measures how fast it is; these tests never depend on that. */

const skip = skipWithout('chromium')
const IS_MEASURING = process.env['RECORD_FIGURES'] === '1'

/** A relay on a spool with this many events that wait: PagerDuty's rate lets few of them go. */
async function relayWith(t: TestContext, events: number): Promise<RunningRelay> {
  const directory = temporaryDirectory(t)
  const spool = await openSpool({ directory, limit: 200_000, onWarning: (text) => assert.fail(text) })
  for (let from = 0; from < events; from += 1000) {
    const count = Math.min(1000, events - from)
    const items = Array.from({ length: count }, (_, index) => alertItem('trigger', `disk-${from + index}`))
    assert.equal((await spool.add(items)).kind, 'added')
  }
  await spool.close()
  const simulator = await startSimulator()
  const relay = await startRelay({
    ...CODESHIP_PRO,
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_EVENTS_URL: simulator.url,
    PAGERDUTY_SPOOL: directory,
    PAGERDUTY_SPOOL_LIMIT: '2000000',
  })
  t.after(async () => {
    await relay.stop('SIGKILL')
    await simulator.close()
  })
  return relay
}

for (const events of [1000, 10_000])
  test(
    `with ${formatCount(events)} events the newest are listed, older ones follow, and a filter finds one`,
    { skip },
    async (t) => {
      const relay = await relayWith(t, events)
      const browser = await startBrowser()
      t.after(() => browser.close())
      const { page, troubles } = await openPage(browser, 'about:blank')
      await page.addInitScript(`
        new MutationObserver((_, observer) => {
          if (document.querySelectorAll('tbody tr').length < 200) return
          window.shownMs = performance.now()
          observer.disconnect()
        }).observe(document, { childList: true, subtree: true })`)
      await page.goto(`${relay.url}/#deliveries?status=pending`)
      const links = page.locator('tbody th a')
      await links.nth(199).waitFor()
      recordFigure(`page ${events} events`, `${Math.round(Number(await page.evaluate('shownMs')))} ms`)
      await page.getByText(new RegExp(`^[\\d,]+ events wait`)).waitFor()
      assert.equal(await links.first().textContent(), `trigger of disk-${events - 1}`)
      const payload = { summary: 'new', source: 'db-1', severity: 'critical' }
      assert.equal(
        (await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: 'new', payload }))).status,
        202,
      )
      await page.getByRole('button', { name: /new row.*show/ }).click()
      await links.nth(200).waitFor()
      await page.getByRole('button', { name: 'Older' }).click()
      await links.nth(400).waitFor()
      const texts = await links.allTextContents()
      assert.equal(new Set(texts).size, 401)
      assert.equal(texts.at(-1), `trigger of disk-${events - 400}`)
      await page.getByLabel('Dedup key').fill(`DISK-${events - 250}`)
      await page.getByLabel('Dedup key').press('Enter')
      await page
        .getByRole('link', { name: `trigger of disk-${events - 1}`, exact: true })
        .waitFor({ state: 'detached' })
      await links.first().waitFor()
      assert.deepEqual(await links.allTextContents(), [`trigger of disk-${events - 250}`])
      assert.deepEqual(troubles, [])
    },
  )

test('a change is on the screen soon after it is committed', { skip }, async (t) => {
  const relay = await relayWith(t, 0)
  const browser = await startBrowser()
  t.after(() => browser.close())
  const { page } = await openPage(browser, `${relay.url}/#deliveries`)
  await page.getByText('Live', { exact: true }).waitFor()
  await page.evaluate(`
    window.seen = {}
    new MutationObserver(() => {
      for (const link of document.querySelectorAll('tbody th a')) seen[link.textContent] ??= Date.now()
    }).observe(document.body, { childList: true, subtree: true })`)
  const delays: number[] = []
  for (let number = 0; number < (IS_MEASURING ? 50 : 3); number++) {
    const summary = `disk-${number}-is-full` // and the dedup key, which is what remains once it is delivered
    const payload = { summary, source: 'db-1', severity: 'critical' }
    const answer = await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: summary, payload }))
    assert.equal(answer.status, 202)
    const committedAtMs = Date.now()
    await page.getByRole('link', { name: summary }).waitFor()
    delays.push(Number(await page.evaluate(`seen[${JSON.stringify(summary)}]`)) - committedAtMs)
    await sleep(IS_MEASURING ? 300 : 0)
  }
  const sorted = delays.toSorted((a, b) => a - b)
  recordFigure('page change median', `${Math.max(0, sorted[sorted.length >> 1] ?? 0)} ms`)
  recordFigure('page change slowest', `${sorted.at(-1)} ms`)
})

/** Follows a relay's changes; the connection is read only if wanted. */
async function view(
  url: string,
  isReading = true,
): Promise<{ readonly status: number | undefined; readonly text: () => string; readonly leave: () => void }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${url}/events/live`, { agent: false }, resolve).on('error', reject)
  })
  response.on('error', () => undefined)
  let text = ''
  if (isReading) response.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return { status: response.statusCode, text: () => text, leave: () => response.destroy() }
}

test('of a hundred viewers one is stalled, and the others see every change', async (t) => {
  const relay = await relayWith(t, 0)
  const stalled = await view(relay.url, false)
  const viewers = await Promise.all(Array.from({ length: 99 }, () => view(relay.url)))
  assert.equal((await view(relay.url)).status, 503)
  // Long events, so that the stalled connection fills up soon.
  const send = async (dedupKey: string): Promise<void> => {
    const payload = { summary: 'x'.repeat(300), source: 'db-1', severity: 'critical' }
    const answer = await post(`${relay.url}/v2/enqueue`, alertBody({ dedup_key: dedupKey, payload }))
    assert.equal(answer.status, 202)
  }
  const deadline = Date.now() + 240_000
  // The kernel's buffers take megabytes before the relay notices; `live.test.ts` has the same without them.
  const rounds = IS_MEASURING ? Infinity : 40
  for (let round = 0; round < rounds; round++) {
    await Promise.all(Array.from({ length: 25 }, (_, index) => send(`${round}-${index}-${'k'.repeat(240)}`)))
    if (round % 20 !== 19) continue
    const next = await view(relay.url)
    next.leave()
    if (next.status === 200) break
    assert.ok(Date.now() < deadline, 'the stalled viewer was not dropped')
  }
  await send('the-last-one')
  for (const { text } of viewers) {
    while (!text().includes('the-last-one')) {
      assert.ok(Date.now() < deadline, 'a viewer misses the last change')
      await sleep(50)
    }
  }
  for (const each of [stalled, ...viewers]) each.leave()
})

test('viewers cost the relay little', { skip: !IS_MEASURING && 'measured by npm run figures' }, async (t) => {
  const relay = await relayWith(t, 0)
  const { pid = 0 } = relay.program.child
  await sleep(2000)
  const idleBefore = residentMegabytes(pid)
  for (const path of ['/', '/ui/page.css', '/ui/page.js', '/ui/icon.svg', '/status', '/events?order=newest'])
    await (await fetch(relay.url + path, { headers: { accept: 'text/html' } })).arrayBuffer()
  const first = await view(relay.url)
  await sleep(2000)
  recordFigure('page idle memory', `${Math.max(0, residentMegabytes(pid) - idleBefore)} MB`)
  first.leave()
  const rate = async (): Promise<number> => {
    const load = fileURLToPath(new URL('../../../bench/load.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [load, relay.url, '64', '5', '0'])
    const { count, seconds } = JSON.parse(stdout) as { readonly count: number; readonly seconds: number }
    return count / seconds
  }
  await rate() // warm
  const ratios: number[] = []
  for (let turn = 0; turn < 7; turn++) {
    const alone = await rate()
    ratios.push((await withTenViewers(relay.url, rate)) / alone)
  }
  recordFigure('page throughput with 10 viewers', (ratios.toSorted((a, b) => a - b)[3] ?? 0).toFixed(2))
  const busy = residentMegabytes(pid)
  const viewers = await Promise.all(Array.from({ length: 100 }, (_, index) => view(relay.url, index > 0)))
  await rate()
  recordFigure('page memory with 100 viewers', `${Math.max(0, residentMegabytes(pid) - busy)} MB`)
  for (const { leave } of viewers) leave()
})

/** Measures while ten viewers follow, and read the list again as often as the page does if so much changes. */
async function withTenViewers(url: string, measure: () => Promise<number>): Promise<number> {
  const viewers = await Promise.all(Array.from({ length: 10 }, () => view(url)))
  const ending = new AbortController()
  const reading = viewers.map(async () => {
    while (!ending.signal.aborted) {
      await (await fetch(`${url}/events?order=newest`)).arrayBuffer()
      await sleep(2000, undefined, { signal: ending.signal }).catch(() => undefined)
    }
  })
  const rate = await measure()
  ending.abort()
  await Promise.all(reading)
  for (const { leave } of viewers) leave()
  return rate
}
