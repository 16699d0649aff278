import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { until } from '../../support/until.ts'
import { CODESHIP_PRO, KEY, runProgram } from '../../support/program.ts'
import { alertBody, post, startRelay } from '../../support/relay.ts'
import { temporaryDirectory } from '../../support/spool.ts'

const NOBODY = 65_534
const skip = process.getuid?.() === 0 ? false : 'only root can make files for others'

test(
  'files that root creates in a spool’s directory belong to the directory’s owner',
  { skip },
  async (t) => {
    const simulator = await startSimulator()
    t.after(() => simulator.close())
    const base = temporaryDirectory(t)
    chownSync(base, NOBODY, NOBODY)
    const env = {
      ...CODESHIP_PRO,
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_EVENTS_URL: simulator.url,
      PAGERDUTY_SPOOL: join(base, 'deep', 'spool'),
      PAGERDUTY_DEADLINE: '200ms',
    }
    simulator.behave({ behaviour: { kind: 'answer', status: 503 } })
    assert.equal((await runProgram(['failure'], { env })).code, 0)
    assert.equal((await runProgram(['flush'], { env })).code, 75)
    const directory = env.PAGERDUTY_SPOOL
    assert.equal(statSync(directory).uid, NOBODY)
    for (const name of readdirSync(directory).filter((file) => file !== 'spool.reserve'))
      assert.equal(statSync(join(directory, name)).uid, NOBODY, name)
  },
)

test('a relay that cannot open the lock is not ready, and accepts nothing', { skip }, async (t) => {
  const directory = join(temporaryDirectory(t), 'spool')
  mkdirSync(directory)
  const env = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:9', PAGERDUTY_SPOOL: directory }
  const first = await startRelay(env)
  await first.stop()
  chmodSync(join(directory, '..'), 0o755)
  for (const name of readdirSync(directory)) chownSync(join(directory, name), NOBODY, NOBODY)
  chownSync(directory, NOBODY, NOBODY)
  chownSync(join(directory, 'deliver.lock'), 0, 0)
  const relay = await startRelay(env, { uid: NOBODY })
  t.after(() => relay.stop('SIGKILL'))
  const ready = await fetch(`${relay.url}/readyz`)
  assert.equal(ready.status, 503)
  assert.match(await ready.text(), /deliver\.lock .* belongs to another user, so nothing can be delivered/)
  const answer = await post(`${relay.url}/v2/enqueue`, alertBody())
  assert.equal(answer.status, 503)
  assert.match(await answer.text(), /deliver\.lock/)
  await until(() => relay.log().includes('deliver.lock'), 'the log says it')
  chownSync(join(directory, 'deliver.lock'), NOBODY, NOBODY)
  await until(async () => (await fetch(`${relay.url}/readyz`)).status === 200, 'it can be opened')
  assert.equal((await post(`${relay.url}/v2/enqueue`, alertBody())).status, 202)
})
