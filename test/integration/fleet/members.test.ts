import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { test } from 'node:test'
import { shareFleetRelays } from '../../support/fleet-relays.ts'
import { runProgram } from '../../support/program.ts'
import { keyFor, type RunningRelay } from '../../support/relay.ts'
import { temporaryDirectory } from '../../support/spool.ts'
import { until } from '../../support/until.ts'

const { skip, fleet, cluster } = await shareFleetRelays()
/** Without it nobody compares keys. */
const SECRET = { PAGERDUTY_FLEET_SECRET: 'a secret of more than thirty-two characters' }
const DIFFERENT_KEYS = 'relays have different PagerDuty keys under the same name (web and default), one in '

async function processes(): Promise<number> {
  const text = 'SELECT count(*)::integer AS count FROM pagerduty_alert.relay_process'
  return (await cluster?.primary().query<{ count: number }>(text))?.[0]?.count ?? 0
}

async function untilLogged(relays: readonly RunningRelay[], words: string): Promise<void> {
  await until(() => relays.every(({ log }) => log().includes(words)), `all log: ${words}`, 60_000)
}

test('relays and doctor say if keys differ, without showing them', { skip }, async () => {
  if (fleet === undefined) return
  const [one, other] = [keyFor('one'), keyFor('other')]
  const env = (key: string): Record<string, string> => ({
    ...SECRET,
    PAGERDUTY_TOKEN: '',
    PAGERDUTY_ROUTING_KEY: `web=${key}`,
  })
  const relays = [await fleet.start('one', env(one)), await fleet.start('other', env(other))]
  await untilLogged(relays.slice(1), DIFFERENT_KEYS) // the first one looks again later
  const { code, stdout } = await runProgram(['doctor', '--fleet'], {
    env: { ...fleet.environment('third'), ...env(one) },
  })
  assert.equal(code, 0, stdout)
  assert.match(stdout, /^ok {3}fleet: 2 relays use it now: /m)
  assert.match(
    stdout,
    /^warn fleet: relays have different PagerDuty keys .* and these settings.*: events go/m,
  )
  for (const text of [stdout, ...relays.map(({ log }) => log())])
    for (const key of [one, other]) assert.ok(!text.includes(key.slice(0, 28)))
})

test('relays with the same keys say nothing', { skip }, async () => {
  if (fleet === undefined) return
  const relays = [await fleet.start('one', SECRET), await fleet.start('other', SECRET)]
  await until(async () => (await processes()) === 2, 'both are there', 60_000)
  const { stdout } = await runProgram(['doctor', '--fleet'], {
    env: { ...fleet.environment('third'), ...SECRET },
  })
  assert.match(stdout, /^ok {3}fleet: 2 relays use it now: /m)
  for (const text of [stdout, ...relays.map(({ log }) => log())])
    assert.doesNotMatch(text, /different PagerDuty keys|two relays/)
})

test('relays on copies of one spool say so, and doctor does', { skip }, async () => {
  if (fleet === undefined) return
  const spoolOf = (name: string): string => fleet.environment(name)['PAGERDUTY_SPOOL'] ?? ''
  assert.equal((await (await fleet.start('first', SECRET)).stop()).code, 0)
  cpSync(spoolOf('first'), spoolOf('copy'), { recursive: true })
  const relays = await Promise.all([fleet.start('first', SECRET), fleet.start('copy', SECRET)])
  await untilLogged(relays, 'two relays have the name ')
  const { stdout } = await runProgram(['doctor', '--fleet'], {
    env: { ...fleet.environment('first'), ...SECRET },
  })
  assert.match(stdout, /^ok {3}fleet: one relay uses it now: /m)
  assert.match(stdout, /^warn fleet: two relays have the name .*\n {5}-> stop one of them, run flush/m)
})

test('a relay that ends in order is gone at once, so what is left can be exported', { skip }, async (t) => {
  if (fleet === undefined) return
  const directory = temporaryDirectory(t)
  const exportAll = () =>
    runProgram(['fleet', 'export', directory], { env: { ...fleet.environment('one'), ...SECRET } })
  const startAndStop = async (): Promise<void> => {
    await cluster?.primary().query('TRUNCATE pagerduty_alert.relay, pagerduty_alert.relay_process')
    const { stop } = await fleet.start('one', SECRET)
    await until(async () => (await processes()) === 1, 'it is there', 60_000)
    const early = await exportAll()
    assert.equal(early.code, 78)
    assert.match(
      early.stderr,
      /relays still use the fleet: \S+; stop them, and wait for 30 s if one was killed/,
    )
    assert.equal((await stop()).code, 0)
  }
  // A relay does not wait for long until the database has answered, so on a busy machine it may need another try.
  await until(() => startAndStop().then(async () => (await processes()) === 0), 'it is gone', 60_000)
  const { code, stderr } = await exportAll()
  assert.equal(code, 0, stderr)
})
