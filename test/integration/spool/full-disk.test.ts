import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openSpool } from '../../../src/spool/open.ts'
import type { Spool } from '../../../src/spool/spool.ts'
import { until } from '../../support/until.ts'
import { startTestWorker, type WorkerRun } from '../../support/worker.ts'
import { changeItem } from '../../support/spool.ts'
import { skipWithout } from '../../support/required.ts'
import { fillDisk, mountSmallDisk } from '../../support/tmpfs.ts'

const EVENTS = 30

/** One process after the other: delivers the spool, and adds events until the disk takes no more. */
async function run(
  t: TestContext,
  directory: string,
  name: string,
): Promise<{ accepted: string[] } & WorkerRun & { spool: Spool }> {
  const spool = await openSpool({
    directory,
    limit: 1000,
    onWarning: (message) => assert.match(message, /disk is/),
  })
  const running = startTestWorker(t, { spool })
  const accepted: string[] = []
  for (let number = 0; number < EVENTS; number++) {
    const summary = `${name} ${number} ${'x'.repeat(number % 7 === 0 ? 9000 : 200)}`
    const added = await spool.add([changeItem(summary)])
    if (added.kind === 'added') accepted.push(summary)
    else
      assert.match(
        added.kind === 'unavailable' ? added.reason : added.kind,
        /the spool’s disk is (full|failing)/,
      )
  }
  return { ...running, accepted, spool }
}

test(
  'whichever page does not fit on the disk, nothing accepted is lost, and no process sends anything twice',
  { skip: skipWithout('mount') },
  async (t) => {
    const disk = mountSmallDisk(t, 1)
    const filler = join(disk.directory, 'filler')
    const directory = join(disk.directory, 'spool')
    for (let free = 0; free < 90; free += 2) {
      fillDisk(filler, disk.directory, free)
      const runs = []
      for (const name of ['first', 'second', 'third']) {
        const made = await run(t, directory, name)
        await made.worker.stop(0)
        await made.spool.close()
        runs.push(made)
      }
      rmSync(filler)
      const last = await run(t, directory, 'last')
      await until(() => last.spool.counts().pending === 0, `all is delivered (${free} blocks)`)
      await last.worker.stop(0)
      await last.spool.close()
      rmSync(directory, { recursive: true })
      const accepted = [...runs, last].flatMap((made) => made.accepted)
      const sent = [...runs, last].flatMap(({ seen }) => seen.map(({ what }) => what))
      assert.deepEqual(
        accepted.filter((what) => !sent.includes(what)),
        [],
        `lost with ${free} blocks`,
      )
      for (const { seen } of [...runs, last])
        assert.equal(new Set(seen.map(({ what }) => what)).size, seen.length, `repeated with ${free} blocks`)
      assert.equal(last.accepted.length, EVENTS)
    }
  },
)
