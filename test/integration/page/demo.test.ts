import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openPage, startBrowser } from '../../support/browser.ts'
import { skipWithout } from '../../support/required.ts'

const DEMO = fileURLToPath(new URL('../../../scripts/demo.ts', import.meta.url))

test(
  'the demo keeps its relay open, whose page shows a failing and a succeeding deployment',
  { skip: skipWithout('chromium') },
  async (t) => {
    const child = spawn(process.execPath, [DEMO, '--page'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'close')
    t.after(() => child.kill('SIGKILL'))
    let output = ''
    for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      output += chunk
      if (output.includes('Ctrl+C')) break
    }
    child.stdout.resume()
    assert.match(output, /alert, triggered {2}Deployment of acme\/shop@5f0c1d2/)
    assert.match(output, /alert, resolved {2}Deployment of acme\/shop@5f0c1d2/)
    const url = /has a page: \S*(http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1] ?? assert.fail(output)
    const browser = await startBrowser()
    t.after(() => browser.close())
    const { page, troubles } = await openPage(browser, `${url}/#deployments`)
    const row = (text: RegExp): Promise<void> => page.getByRole('row').filter({ hasText: text }).waitFor()
    await row(/acme\/shop@5f0c1d2.*Charge cards in one request · by Jane Doe.*production.*failed.*delivered/)
    await row(/acme\/shop@9a8b7c6.*Charge cards once · by Jane Doe.*production.*succeeded.*delivered/)
    await row(/acme\/shop@1b2c3d4.*Add gift cards.*production.*failed.*never ended/)
    await page.getByText('PagerDuty has every event').waitFor()
    assert.deepEqual(troubles, [])
    child.kill('SIGINT')
    assert.deepEqual(await ended, [0, null])
  },
)
