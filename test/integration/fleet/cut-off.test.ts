import assert from 'node:assert/strict'
import { test } from 'node:test'
import { postTo, startCutOffFleet } from '../../support/cut-off-fleet.ts'
import { temporaryDirectory } from '../../support/spool.ts'
import { until } from '../../support/until.ts'

const { skip, parts } = await startCutOffFleet()

test(
  'a relay that is cut off from the database accepts, another takes its keys over, and order is kept',
  { skip },
  async (t) => {
    if (parts === undefined) return
    const { cluster, network, fleet, env, startInside, received } = parts
    const { port } = cluster.primary()
    const cutOff = await startInside([`localhost:${port}`], temporaryDirectory(t))
    t.after(() => cutOff.kill())
    await until(async () => (await postTo(cutOff, 'trigger first')) === 'fleet', 'it has joined')
    await until(() => received().includes('trigger first'), 'it owns the key')
    const other = await fleet.start('other', env)
    await until(async () => (await postTo(other, 'trigger second')) === 'fleet', 'the other has joined')

    network.cut(port)
    assert.equal(await postTo(cutOff, 'resolve first'), 'spool')
    assert.equal(await postTo(other, 'trigger third'), 'fleet')
    await until(() => received().includes('trigger third'), 'the other delivers in its place')
    assert.ok(!received().includes('resolve first'), 'it sends nothing while it is cut off')

    network.reconnect()
    await until(() => received().includes('resolve first'), 'what it has accepted is delivered')
    await until(async () => (await postTo(cutOff, 'trigger fourth')) === 'fleet', 'it is back')
    await until(() => received().includes('trigger fourth'), 'everything goes on')
    assert.deepEqual(
      received().filter((what) => what === 'resolve first'),
      ['resolve first'],
    )
  },
)
