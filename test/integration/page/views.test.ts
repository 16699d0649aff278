import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { openSpool } from '../../../src/spool/open.ts'
import { startSimulator, type Simulator } from '../../../tools/simulator/simulator.ts'
import { findBarriers, openPage, PATIENCE_MS, startBrowser, temporarySpool } from '../../support/browser.ts'
import { tellStory } from '../../support/page-story.ts'
import { CODESHIP_PRO, KEY } from '../../support/program.ts'
import { alertBody, post, startRelay, type RunningRelay } from '../../support/relay.ts'
import { skipWithout } from '../../support/required.ts'
import { alertItem } from '../../support/spool.ts'
import { until } from '../../support/until.ts'

/* Each view with everything that it can show. `npm run figures` takes pictures of two of them for the documentation. */

const skip = skipWithout('chromium')
const spool = temporarySpool()
let browser: Browser
let simulator: Simulator
let relay: RunningRelay
/** Addresses of the views, and of one thing in each list. */
let addresses: Readonly<
  Record<'now' | 'deployments' | 'deliveries' | 'relay' | 'deployment' | 'delivery', string>
>

interface Listed {
  readonly id: number
  readonly outcome?: string
}

async function firstOf(path: string, name: string): Promise<number> {
  const answer = (await (await fetch(relay.url + path)).json()) as Record<string, readonly Listed[]>
  return answer[name]?.[0]?.id ?? assert.fail(`${path} lists nothing`)
}

if (skip === false) {
  before(async () => {
    browser = await startBrowser()
    simulator = await startSimulator()
    relay = await startRelay({
      ...CODESHIP_PRO,
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_EVENTS_URL: simulator.url,
      PAGERDUTY_SPOOL: spool.directory,
      PAGERDUTY_ROLLBACK_HINT: './deploy.sh --to {{shortCommit}}',
    })
    await tellStory(relay.url, simulator)
    addresses = {
      now: '#now',
      deployments: '#deployments',
      deliveries: '#deliveries',
      relay: '#relay',
      deployment: `#deployments/${await firstOf('/deployments?outcome=failure', 'deployments')}`,
      delivery: `#deliveries/${await firstOf('/events?order=newest&status=dead', 'events')}`,
    }
  })
  after(async () => {
    await browser.close()
    await relay.stop()
    await simulator.close()
    spool.remove()
  })
}

/** Writes a picture into the documentation, if asked to. */
function recordPicture(name: string, picture: Buffer): void {
  if (process.env['RECORD_FIGURES'] === '1')
    writeFileSync(new URL(`../../../docs/pictures/${name}`, import.meta.url), picture)
}

test(
  'Now shows what is stuck, what runs, what failed, and the last success of each environment',
  { skip },
  async () => {
    const { page, troubles } = await openPage(browser, `${relay.url}/${addresses.now}`)
    for (const [caption, row] of [
      ['Dead: retry or discard', /Disk of db-1 is full.*400: Invalid routing key/],
      ['Waiting', /Replication of db-2.*429: Too many requests/],
      ['Running', /acme\/billing@1d2e3f4.*by Sofía Núñez.*running/],
      ['Failed and not recovered yet', /acme\/shop@5f0c1d2.*production.*failed.*delivered/],
      ['Last success of each environment', /acme\/shop@5f0c1d2.*staging.*succeeded/],
    ] as const) {
      const table = page.getByRole('table', { name: caption })
      await table.getByRole('row').filter({ hasText: row }).waitFor()
    }
    await page.getByText('1 event is dead: retry or discard it, and 1 more waits').waitFor()
    assert.deepEqual(troubles, [])
    recordPicture('page-now.png', await page.screenshot({ fullPage: true }))
  },
)

test(
  'a failed deployment shows the last good one, the changes since, and how to roll back',
  { skip },
  async () => {
    const { page, troubles } = await openPage(browser, `${relay.url}/${addresses.deployment}`)
    await page.getByRole('link', { name: 'acme/shop@9a8b7c6' }).waitFor()
    assert.match(
      String(await page.getByRole('link', { name: 'changes since' }).getAttribute('href')),
      /^https:\/\/github\.com\/acme\/shop\/compare\/9a8b7c6\w+\.\.\.5f0c1d2\w+$/,
    )
    await page.getByText('./deploy.sh --to 9a8b7c6', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Copy as text' }).click()
    const text = await page.getByRole('dialog').getByLabel('Text').inputValue()
    for (const part of [
      /^acme\/shop@5f0c1d2$/m,
      /^Outcome failed$/m,
      /^Ended \d{4}-\d\d-\d\dT/m,
      /https:\/\/app\.codeship\.com\/projects\/1\/builds\/4204/,
      /#deployments\/\d+$/,
    ])
      assert.match(text, part)
    await page.getByRole('button', { name: 'Close' }).click()
    assert.deepEqual(troubles, [])
    recordPicture('page-deployment.png', await page.screenshot({ fullPage: true }))
  },
)

for (const hours of [-1, 1])
  test(`times are by the relay’s clock in a browser whose clock is ${hours} h off`, { skip }, async () => {
    const context = await browser.newContext()
    context.setDefaultTimeout(PATIENCE_MS)
    const page = await context.newPage()
    await page.clock.install({ time: Date.now() + hours * 3_600_000 })
    await page.goto(`${relay.url}/#relay`)
    const fact = page.locator('.facts > div').filter({ hasText: 'Up since' })
    assert.match(await fact.locator('time').innerText(), /^(?:now|\d+ s ago|\d+ min(?: \d+ s)? ago)$/)
    await context.close()
  })

test('a search finds deployments, and its words are in the address', { skip }, async () => {
  const { page } = await openPage(browser, `${relay.url}/#deployments`)
  await page.getByLabel('Search').fill('PRICE rounding')
  await page.getByLabel('Search').press('Enter')
  await page.waitForURL(/#deployments\?text=PRICE\+rounding$/)
  const links = page.locator('tbody th a')
  await page.getByRole('link', { name: 'acme/search@c0ffee5' }).waitFor({ state: 'detached' })
  await links.first().waitFor()
  assert.deepEqual(await links.allTextContents(), ['acme/shop@5f0c1d2', 'acme/shop@5f0c1d2'])
  await page.getByLabel('Outcome').selectOption('failure')
  await page.waitForURL(/outcome=failure/)
  await page.getByRole('row').filter({ hasText: 'staging' }).waitFor({ state: 'detached' })
  await links.first().waitFor()
  assert.equal(await links.count(), 1)
})

for (const colorScheme of ['light', 'dark'] as const)
  for (const width of [320, 1280])
    test(`axe finds nothing in any view, ${colorScheme}, ${width} px wide`, { skip }, async () => {
      const { page } = await openPage(browser, `${relay.url}/#relay`, { colorScheme, width })
      for (const [view, address] of Object.entries(addresses)) {
        await page.goto(`${relay.url}/${address}`)
        await page.locator('#view :is(table, dl)').first().waitFor()
        assert.deepEqual(await findBarriers(page), [], view)
        const widths = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[]
        assert.equal(widths[0], widths[1], `${view} does not scroll sideways`)
      }
    })

test('a browser that runs no script shows how things stand', { skip }, async () => {
  const context = await browser.newContext({
    javaScriptEnabled: false,
    viewport: { width: 320, height: 800 },
  })
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  await page.goto(relay.url)
  const text = await page.locator('main').innerText()
  assert.match(text, /1 event is dead: retry or discard it, and 1 more waits/)
  assert.match(text, /acme\/shop@5f0c1d2[^]*failed/)
  assert.match(text, /need JavaScript/)
  const widths = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[]
  assert.equal(widths[0], widths[1], 'it does not scroll sideways')
  await context.close()
})

test('what another process does in the same spool appears, too', { skip }, async () => {
  const { page } = await openPage(browser, `${relay.url}/#deliveries`)
  await page.getByText('Live', { exact: true }).waitFor()
  const other = await openSpool({ directory: spool.directory, limit: 1000, onWarning: assert.fail })
  const added = await other.add([alertItem('trigger', 'told-to-another-process')])
  assert.equal(added.kind, 'added')
  await other.close()
  await page.getByRole('link', { name: 'told-to-another-process' }).waitFor()
})

test('a deployment that begins and ends appears without its event', { skip }, async () => {
  const { page } = await openPage(browser, `${relay.url}/#now`)
  const running = page.getByRole('table', { name: 'Running' })
  await running.waitFor()
  const body = { environment: 'canary', within: '30m', details: { build_id: '5000' } }
  assert.equal((await post(`${relay.url}/started`, body)).status, 202)
  await running
    .getByRole('row')
    .filter({ hasText: /canary.*running.*due in/ })
    .waitFor()
  await post(`${relay.url}/success`, { environment: 'canary', details: { build_id: '5000' } })
  const good = page.getByRole('table', { name: 'Last success of each environment' })
  await good
    .getByRole('row')
    .filter({ hasText: /canary.*succeeded/ })
    .waitFor()
})

test('a relay without a spool shows what was deployed while it runs', { skip }, async (t) => {
  const alone = await startRelay({
    ...CODESHIP_PRO,
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_EVENTS_URL: simulator.url,
  })
  t.after(() => alone.stop())
  const { page } = await openPage(browser, `${alone.url}/#now`)
  await page.getByText('This relay keeps no events').waitFor()
  simulator.reset()
  await post(`${alone.url}/failure`, { environment: 'canary' })
  const failed = page.getByRole('table', { name: 'Failed and not recovered yet' })
  await failed.getByRole('row').filter({ hasText: 'canary' }).waitFor()
})

test('when the store is away the page says so, and recovers with it', { skip }, async (t) => {
  const own = temporarySpool()
  const alone = await startRelay({
    ...CODESHIP_PRO,
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_EVENTS_URL: simulator.url,
    PAGERDUTY_SPOOL: own.directory,
  })
  t.after(async () => {
    await alone.stop()
    own.remove()
  })
  const { page } = await openPage(browser, `${alone.url}/#now`)
  await page.getByText('PagerDuty has every event').waitFor()
  const store = join(own.directory, 'spool.db')
  for (const file of [store, `${store}-wal`, `${store}-shm`]) rmSync(file, { force: true })
  mkdirSync(store)
  await page.getByText(/No event can be accepted: /).waitFor()
  rmSync(store, { recursive: true })
  await page.getByText('PagerDuty has every event').waitFor()
  assert.equal((await post(`${alone.url}/v2/enqueue`, alertBody({ dedup_key: 'after' }))).status, 202)
})

test('long, far-off and right-to-left texts leave a list readable', { skip }, async () => {
  const details = {
    outcome: 'success',
    repository: 'مستودع/متجر',
    environment: 'pull-request-'.repeat(15),
    commit: '9a8b7c6d5e4f30211203f4e5d6c7b8a990817263',
    build_id: '6000',
  }
  const timestamp = '2099-12-31T12:00:00Z'
  const payload = { summary: 'far off', source: 'x', severity: 'info', timestamp, custom_details: details }
  assert.equal((await post(`${relay.url}/v2/change/enqueue`, { payload })).status, 202)
  const { page } = await openPage(browser, `${relay.url}/#deployments?text=6000`)
  const row = page.getByRole('row').filter({ hasText: 'pull-request-' })
  assert.equal(await row.locator('time').first().innerText(), '2099-12-31')
  // Isolated, so that the commit stays behind the `@`.
  assert.equal(await row.getByRole('link').first().innerText(), '\u2068مستودع/متجر\u2069@9a8b7c6')
  const height = (await row.boundingBox())?.height ?? assert.fail('the row is not shown')
  assert.ok(height < 150, `three lines of a name, not ${height} px`)
})

test('a running deployment whose time is the same in words does not catch the eye', { skip }, async () => {
  const { page } = await openPage(browser, `${relay.url}/#deployments?environment=steady`)
  await page.getByText('Live', { exact: true }).waitFor()
  const body = { environment: 'steady', within: '90m', details: { build_id: '7000' } }
  await post(`${relay.url}/started`, body)
  const cell = page.getByRole('cell').filter({ hasText: 'due in 1 h' })
  const due = cell.locator('time')
  const first = await due.getAttribute('datetime')
  await until(async () => {
    await post(`${relay.url}/started`, body)
    return (await due.getAttribute('datetime')) !== first
  }, 'the time is another one')
  assert.doesNotMatch(String(await cell.getAttribute('class')), /changed/)
})
