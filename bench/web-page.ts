import { existsSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { startBrowser } from '../test/support/browser.ts'
import { programPath } from '../test/support/required.ts'
import { ratios, type Fact, type Measured } from './fact.ts'
import { load, memoryMb, NOWHERE, spoolFolder, startRelay, type Relay } from './relays.ts'
import type { Bench } from './section.ts'
import { addAll, numberedItem, openBenchSpool } from './spool-work.ts'

const FILES = ['/', '/ui/page.css', '/ui/page.js', '/ui/icon.svg']
/** What the page asks for, by what it is. */
const ROUTES = {
  '`/status`': '/status',
  '`/deployments`': '/deployments',
  '`/events`, the newest 200': '/events?order=newest&limit=200',
  '`/events`, filtered by what none has': '/events?order=newest&dedup_key=nowhere',
}
const ROW_COUNT = 200
const VIEWERS = 100
const [ASKED, VIEWS, ROUNDS, WARM_ROUNDS] = [50, 5, 5, 2]
const COLD = 'Chromium itself, and 200 rows of six cells'

/** What the page costs those who look at it, and the relay. */
export async function measurePage({ folder, signal, isSmoke }: Bench): Promise<Measured> {
  const spool = spoolFolder(folder, 'page')
  const filled = await openBenchSpool(spool)
  const items = Array.from({ length: isSmoke ? 300 : 10_000 }, (_, number) => numberedItem(number))
  await addAll(filled, items)
  await filled.close()
  const relay = await startRelay({ name: 'page', upstreamUrl: NOWHERE, spool, signal })
  const bytes = await Promise.all(FILES.map(async (path) => await bytesOf(relay.url + path)))
  const facts: Fact[] = [
    {
      name: 'The page on the wire',
      unit: 'kB',
      values: [bytes.reduce((sum, count) => sum + count) / 1000],
      remark: 'with the table for browsers that run no script',
      target: { limit: 10.5, floor: 'its four files with gzip' },
    },
    ...(await measureView(relay, isSmoke)),
  ]
  for (const [name, path] of Object.entries(ROUTES)) {
    const values = await timesOf(relay.url + path, isSmoke ? 1 : ASKED)
    const target = { limit: 10, floor: 'it holds the event loop for most of this' }
    facts.push({ name: `${name}, of 10,000 events`, unit: 'ms', values, target })
  }
  return { facts: [...facts, ...(await measureViewers(relay, isSmoke, signal))] }
}

/** The bytes of a body as they are sent to a browser. */
async function bytesOf(url: string): Promise<number> {
  const headers = { accept: 'text/html', 'accept-encoding': 'gzip' }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { headers }, resolve).on('error', reject)
  })
  let count = 0
  for await (const chunk of response) count += (chunk as Buffer).length
  return count
}

async function timesOf(url: string, count: number): Promise<number[]> {
  const times: number[] = []
  while (times.length < count) {
    const startedAtMs = performance.now()
    const answer = await fetch(url)
    await answer.arrayBuffer()
    if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`)
    times.push(performance.now() - startedAtMs)
  }
  return times
}

/** From the address to 200 rows on the screen, each time in a new context; nothing if Chromium is not installed. */
async function measureView({ url }: Relay, isSmoke: boolean): Promise<Fact[]> {
  if (!existsSync(programPath('chromium'))) return []
  const browser = await startBrowser()
  const values: number[] = []
  try {
    while (values.length < (isSmoke ? 1 : VIEWS)) {
      const context = await browser.newContext()
      const page = await context.newPage()
      page.setDefaultTimeout(60_000)
      await page.addInitScript(`
        new MutationObserver((_, observer) => {
          if (document.querySelectorAll('tbody tr').length < ${ROW_COUNT}) return
          window.shownMs = performance.now()
          observer.disconnect()
        }).observe(document, { childList: true, subtree: true })`)
      await page.goto(`${url}/#deliveries?status=pending`)
      await page
        .locator('tbody tr')
        .nth(ROW_COUNT - 1)
        .waitFor()
      values.push(Number(await page.evaluate('window.shownMs')))
      await context.close()
    }
  } finally {
    await browser.close()
  }
  return [
    { name: '200 of 10,000 events in Chromium', unit: 'ms', values, target: { limit: 500, floor: COLD } },
  ]
}

/** What a hundred viewers who follow every change cost a relay that is under load. */
async function measureViewers(relay: Relay, isSmoke: boolean, signal: AbortSignal): Promise<Fact[]> {
  const rate = async (): Promise<number> => {
    const found = await load(relay, { connections: 64, seconds: isSmoke ? 0.2 : 1.5, signal })
    return found.count / found.seconds
  }
  const alone: number[] = []
  const watched: number[] = []
  const addedMb: number[] = []
  for (let round = 0; round < (isSmoke ? 1 : WARM_ROUNDS + ROUNDS); round++) {
    const rateAlone = await rate()
    const beforeMb = memoryMb(relay, 'VmRSS')
    const viewers = await Promise.all(Array.from({ length: VIEWERS }, () => follow(relay.url)))
    const rateWatched = await rate()
    const afterMb = memoryMb(relay, 'VmRSS')
    for (const viewer of viewers) viewer.destroy()
    if (round < WARM_ROUNDS && !isSmoke) continue
    alone.push(rateAlone)
    watched.push(rateWatched)
    addedMb.push(Math.max(0, afterMb - beforeMb))
  }
  return [
    {
      name: 'Alerts accepted a second with 100 viewers ÷ with none',
      unit: '',
      values: ratios(watched, alone),
      target: { limit: 0.8, isLeast: true, floor: 'each of ten messages a second is written to 100 sockets' },
    },
    {
      name: 'Memory that 100 viewers add',
      unit: 'MB',
      values: addedMb,
      target: { limit: 20, floor: 'a viewer may be 64 kB behind' },
    },
  ]
}

async function follow(url: string): Promise<IncomingMessage> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${url}/events/live`, { agent: false }, resolve).on('error', reject)
  })
  if (response.statusCode !== 200) throw new Error(`a viewer was answered ${response.statusCode}`)
  response.on('error', () => undefined)
  return response.resume()
}
