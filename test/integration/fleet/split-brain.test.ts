import assert from 'node:assert/strict'
import { test } from 'node:test'
import { postTo, startCutOffFleet } from '../../support/cut-off-fleet.ts'
import { temporaryDirectory } from '../../support/spool.ts'
import { until } from '../../support/until.ts'

const { skip, parts } = await startCutOffFleet({ nodes: 3 })

test(
  'a primary that is cut off from its standbys acknowledges nothing to the relays that still reach it, and nothing is lost',
  { skip },
  async (t) => {
    if (parts === undefined) return
    const { cluster, network, fleet, env, startInside, received } = parts
    const [old, ...standbys] = cluster.nodes
    const hosts = [`localhost:${old?.port}`, ...standbys.map(({ port }) => `127.0.0.1:${port}`)]
    const spool = temporaryDirectory(t)
    const untilReceived = (what: string): Promise<void> => until(() => received().includes(what), what)
    const besideOld = await fleet.start('beside old', { ...env, PAGERDUTY_SPOOL: spool })
    const besideStandbys = await startInside(hosts, temporaryDirectory(t))
    t.after(() => besideStandbys.kill())
    await until(async () => (await postTo(besideStandbys, 'trigger other')) === 'fleet', 'both have joined')
    await until(async () => (await postTo(besideOld, 'trigger one')) === 'fleet', 'both have joined')
    await untilReceived('trigger one')

    network.cut(old?.port ?? 0)
    assert.equal(await postTo(besideOld, 'resolve one'), 'spool')
    assert.equal(await postTo(besideOld, 'trigger two'), 'spool')
    assert.equal(await postTo(besideStandbys, 'resolve other'), 'spool')
    await cluster.promote()
    await untilReceived('resolve other')
    await until(
      async () => (await postTo(besideStandbys, 'trigger third')) === 'fleet',
      'it has found the new one',
    )
    await untilReceived('trigger third')
    assert.equal(await postTo(besideOld, 'resolve two'), 'spool')
    assert.ok(!received().includes('resolve one'), 'what was not acknowledged is not delivered')

    await old?.kill()
    await besideOld.stop('SIGKILL')
    const moved = await startInside(hosts, spool)
    t.after(() => moved.kill())
    for (const what of ['resolve one', 'resolve two']) await untilReceived(what)
    const ofOne = received().filter((what) => /(one|two)$/.test(what))
    assert.ok(ofOne.indexOf('resolve two') > ofOne.indexOf('trigger two'))
    assert.equal(ofOne.filter((what) => what.startsWith('resolve')).length, 2, 'each was delivered once')
  },
)
