import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import type { RestSeed } from '../../../tools/simulator/rest-state.ts'
import { CODESHIP_PRO, runProgram } from '../../support/program.ts'
import type { RunningRelay } from '../../support/relay.ts'
import { accountWith, ago, REST_TOKEN } from '../../support/rest.ts'
import { until } from '../../support/until.ts'
import { shareRelays } from '../../support/share-relays.ts'

/*
 * `serve --watch`: incidents that open soon after a deployment get a note about it.
 */

const { simulator, env: direct, startRelay, newSpool } = await shareRelays()
const ENV = {
  ...direct,
  PAGERDUTY_API_TOKEN: REST_TOKEN,
  PAGERDUTY_SERVICE_ID: 'PSHOP',
  PAGERDUTY_API_URL: simulator.url,
  PAGERDUTY_REPOSITORY_URL: 'https://github.com/acme/shop',
  // Long enough for a slow machine; a relay looks every tenth of it.
  PAGERDUTY_RELAY_WATCH: '60s',
}
const relayWith = (env: Record<string, string> = {}): Promise<RunningRelay> => startRelay({ ...ENV, ...env })
const incident = (id: string, more: object = {}) => ({
  id,
  serviceId: 'PSHOP',
  title: 'Checkout is down',
  createdAt: ago(0),
  ...more,
})
const seed = (...incidents: NonNullable<RestSeed['incidents']>): void =>
  simulator.seed(accountWith({ incidents }))
const noted = (): string[] => simulator.rest.notes.map(({ incidentId }) => incidentId)
const looks = (): number => simulator.requests.filter(({ path }) => path.startsWith('/incidents?')).length
async function deploy({ url }: RunningRelay, commit: string): Promise<void> {
  const event = await runProgram(['success'], {
    env: { ...ENV, PAGERDUTY_RELAY_URL: url, CI_COMMIT_ID: commit, CI_BUILD_ID: commit },
  })
  assert.equal(event.code, 0, event.stderr)
}
const GOOD = '1234567890abcdef1234567890abcdef12345678'
const BAD = CODESHIP_PRO['CI_COMMIT_ID'] ?? ''

for (const kind of ['with', 'without'] as const) {
  test(`a relay ${kind} a spool notes an incident that opens after a deployment, once, even after a restart`, async () => {
    const env: Record<string, string> = kind === 'with' ? { PAGERDUTY_SPOOL: newSpool() } : {}
    seed(incident('QOLD', { createdAt: ago(60_000) }))
    const relay = await relayWith(env)
    await sleep(200)
    assert.equal(looks(), 0, 'nothing was deployed, so nothing is asked')
    await deploy(relay, GOOD)
    await deploy(relay, BAD)
    await until(() => looks() > 0, 'a look')
    seed(
      incident('QOLD', { createdAt: ago(60_000) }),
      incident('QNEW'),
      incident('QELSE', { serviceId: 'POTHER' }),
      incident('QOWN', { alertKeys: ['deploy/acme/shop/master'] }),
    )
    await until(() => noted().length > 0, 'a note')
    const { content = '' } = simulator.rest.notes[0] ?? {}
    assert.match(
      content,
      /^This incident opened soon after a deployment, which may have caused it\.\n\nDeployed acme\/shop@5f0c1d2 to master by Jane Doe: Fix the checkout\n/,
    )
    assert.match(content, /Commit: https:\/\/github\.com\/acme\/shop\/commit\/5f0c1d2/)
    assert.match(content, /Last success before it: Deployed acme\/shop@1234567 to master/)
    const notesBefore = simulator.rest.notes
    await relay.stop(kind === 'with' ? 'SIGKILL' : 'SIGTERM')
    const again = await relayWith(env)
    if (kind === 'without') await deploy(again, BAD)
    const before = looks()
    await until(() => looks() > before + 1, 'two more looks')
    assert.deepEqual(simulator.rest.notes, notesBefore)
    assert.deepEqual(noted(), ['QNEW'])
  })
}

test('an incident that opens while PagerDuty’s REST API does not answer gets its note later', async () => {
  seed()
  const relay = await relayWith()
  simulator.behave({ endpoint: '/incidents', times: 2, behaviour: { kind: 'answer', status: 500 } })
  await deploy(relay, BAD)
  await until(() => looks() > 0, 'a look')
  seed(incident('QNEW'))
  await until(() => noted().length > 0, 'a note')
  await until(
    () => relay.log().includes('cannot look for incidents after deployments: cannot list'),
    'a line about the failure',
  )
  await until(
    () => relay.log().includes('looking for incidents after deployments again'),
    'a line about that',
  )
  assert.ok(looks() >= 2)
})

test('a note that may have been written is not written again', async () => {
  seed()
  const relay = await relayWith()
  // PagerDuty has the note, and the answer is lost.
  simulator.behave({ endpoint: '/incidents/QNEW/notes', times: 2, behaviour: { kind: 'truncate' } })
  await deploy(relay, BAD)
  seed(incident('QNEW'))
  await until(() => noted().length > 0, 'a note')
  const before = looks()
  await until(() => looks() > before + 1, 'two more looks')
  assert.deepEqual(noted(), ['QNEW'])
})

test('it ends at once on SIGTERM, also between two looks', async () => {
  seed()
  const relay = await relayWith({ PAGERDUTY_RELAY_WATCH: '30m' })
  assert.equal((await relay.stop()).code, 0)
})

for (const [name, env] of [
  ['no REST API token', { PAGERDUTY_API_TOKEN: '' }],
  ['no service', { PAGERDUTY_SERVICE_ID: '' }],
] as const) {
  test(`${name}: 78`, async () => {
    const { code, stderr } = await runProgram(['serve', '--watch', '30m'], { env: { ...ENV, ...env } })
    assert.equal(code, 78)
    assert.match(stderr, /--watch \(PAGERDUTY_RELAY_WATCH\) asks PagerDuty’s REST API about a service/)
  })
}
