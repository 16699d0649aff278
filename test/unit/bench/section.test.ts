import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createSections, type Sections } from '../../../bench/section.ts'

function setUp(t: TestContext, totalMs = 3_600_000): { sections: Sections; told: () => string } {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  t.after(() => rmSync(folder, { recursive: true }))
  let text = ''
  const servers = { httpUrl: 'unused', httpsUrl: 'unused', farUrl: 'unused', isFarByPacket: true }
  const sections = createSections({
    servers,
    folder,
    isSmoke: true,
    totalMs,
    tell: (more) => (text += more),
  })
  return { sections, told: () => text }
}

test('a section that fails is reported, and the next one is measured', async (t) => {
  const { sections, told } = setUp(t)
  const broken = (): never => {
    throw new Error('it broke')
  }
  assert.equal(await sections.measure('one', 1000, broken), undefined)
  assert.equal(await sections.measure('two', 1000, () => 2), 2)
  assert.deepEqual(sections.failed(), [{ name: 'one', reason: 'it broke' }])
  assert.match(told(), /one … FAILED: it broke\ntwo … [\d.]+ s\n/)
})

test('a section that never ends is given up, and what it started is told to end', async (t) => {
  const { sections } = setUp(t)
  let signal: AbortSignal | undefined
  const found = await sections.measure('stuck', 20, async (bench) => {
    signal = bench.signal
    await new Promise(() => undefined)
  })
  assert.equal(found, undefined)
  assert.ok(signal?.aborted)
  assert.match(sections.failed()[0]?.reason ?? '', /^took more than /)
})

test('nothing begins when the time of the whole run is over', async (t) => {
  const { sections } = setUp(t, 0)
  assert.equal(await sections.measure('late', 1000, () => 1), undefined)
  assert.match(sections.failed()[0]?.reason ?? '', /whole run is over/)
})
