import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import axe from 'axe-core'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { programPath } from './required.ts'

/** Without these Chromium calls Google's hosts at every start. */
const QUIET = [
  '--no-sandbox', // tests may run as root
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Limit of each wait: much more than a busy machine needs. */
export const PATIENCE_MS = 120_000

/** Starts Debian's Chromium without a window. */
export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: programPath('chromium'), args: QUIET, timeout: PATIENCE_MS })
}

/** A page, and everything that must not happen on it. */
export interface WatchedPage {
  readonly page: Page
  readonly context: BrowserContext
  /** Addresses of all requests. */
  readonly requests: readonly string[]
  /** Errors on the console, uncaught errors, reports of the content security policy, dialogs. */
  readonly troubles: readonly string[]
}

export interface PageOptions {
  readonly width?: number
  readonly colorScheme?: 'light' | 'dark'
}

/** Opens a page in a context of its own, which is closed with the browser. */
export async function openPage(
  browser: Browser,
  url: string,
  { width = 1280, colorScheme = 'light' }: PageOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme })
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  const requests: string[] = []
  const troubles: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  page.on('console', (message) => {
    if (message.type() === 'error') troubles.push(message.text())
  })
  page.on('pageerror', (error) => troubles.push(String(error)))
  page.on('dialog', (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.goto(url)
  return { page, context, requests, troubles }
}

/** What axe finds on a page, a line each. */
export async function findBarriers(page: Page): Promise<string[]> {
  // In a world of its own, which the page's content security policy does not bind.
  const session = await page.context().newCDPSession(page)
  const { frameTree } = await session.send('Page.getFrameTree')
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
  })
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    contextId,
    expression: `${axe.source}; axe.run().then(({ violations }) => JSON.stringify(violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).join(' | '))))`,
    awaitPromise: true,
    returnByValue: true,
  })
  if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text)
  return JSON.parse(String(result.value)) as string[]
}

/** A directory for a spool, and the way to remove it. */
export function temporarySpool(): { readonly directory: string; readonly remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), 'page-'))
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}
