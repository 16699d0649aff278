import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  BLACK_HOLE,
  BLACK_HOLE_6,
  makeNamespace,
  type NetworkNamespace,
} from '../support/network-namespace.ts'
import type { Run } from '../support/program.ts'
import { skipWithout } from '../support/required.ts'

/** What a busy machine may add to the time of a process. */
const SLACK_MS = 30_000
const SHORT = { args: ['--deadline', '8s', '--timeout', '1s'], longestMs: 9000 + SLACK_MS } as const
/** How much of the traffic is lost, and how often that is tried. */
const LOSS = { share: 0.2, runs: 5 } as const
const NAME = 'pagerduty.test'

const skip = skipWithout('namespaces')

async function enter(t: TestContext): Promise<NetworkNamespace> {
  const namespace = await makeNamespace({
    resolv: `nameserver ${BLACK_HOLE}\n`,
    hosts: `127.0.0.1 localhost\n${BLACK_HOLE_6} ${NAME}\n127.0.0.1 ${NAME}\n`,
  })
  t.after(namespace.remove)
  return namespace
}

function events({ stdout }: Run): { outcome: string; attempts: number; reason?: string }[] {
  return (JSON.parse(stdout) as { events: { outcome: string; attempts: number; reason?: string }[] }).events
}

test('events arrive although a fifth of all packets is lost', { skip }, async (t) => {
  const namespace = await enter(t)
  namespace.losePackets(LOSS.share)
  const url = `http://127.0.0.1:${namespace.port}`
  const runs = await Promise.all(
    Array.from({ length: LOSS.runs }, () => namespace.run(['success', '--json'], url)),
  )
  for (const run of runs) {
    assert.equal(run.code, 0, run.stderr)
    assert.deepEqual(
      events(run).map(({ outcome }) => outcome),
      ['accepted', 'accepted'],
    )
  }
  assert.ok(namespace.lostPackets() > 0)
})

test('an address that does not answer is tried until the deadline, which holds', { skip }, async (t) => {
  const namespace = await enter(t)
  const run = await namespace.run(['failure', '--json', ...SHORT.args], `http://${BLACK_HOLE}:80`)
  assert.equal(run.code, 75)
  assert.ok((events(run)[0]?.attempts ?? 0) > 1, run.stdout)
  // The last attempt has what is left of the deadline; either timer may be the first to ring.
  assert.match(run.stderr, /not delivered: (?:no answer within [\d.]+ s|the connection timed out)/)
  assert.ok(run.durationMs < SHORT.longestMs, `${run.durationMs} ms`)
})

test('a name server that does not answer costs no more than the deadline', { skip }, async (t) => {
  const namespace = await enter(t)
  const run = await namespace.run(['failure', '--json', ...SHORT.args], 'http://elsewhere.example')
  assert.equal(run.code, 75)
  assert.match(run.stderr, /not delivered: /)
  assert.ok(run.durationMs < SHORT.longestMs, `${run.durationMs} ms`)
})

test(
  'a host whose IPv6 address does not answer is reached by IPv4 in the same attempt',
  { skip },
  async (t) => {
    const namespace = await enter(t)
    const run = await namespace.run(['failure', '--json'], `http://${NAME}:${namespace.port}`)
    assert.equal(run.code, 0, run.stderr)
    assert.deepEqual(
      events(run).map(({ outcome, attempts }) => [outcome, attempts]),
      [['accepted', 1]],
    )
  },
)
