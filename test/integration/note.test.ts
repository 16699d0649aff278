import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { KEY } from '../support/program.ts'
import { accountWith, ago, REST_TOKEN, runWithRest } from '../support/rest.ts'

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => simulator.reset())

const OPEN = { id: 'QOPEN', serviceId: 'PSHOP', title: 'Checkout is down', createdAt: ago(60_000) }
const INCIDENTS = [
  OPEN,
  { ...OPEN, id: 'QACK', status: 'acknowledged' as const },
  { ...OPEN, id: 'QRES', status: 'resolved' as const },
  { ...OPEN, id: 'QLATER', createdAt: ago(-60_000) },
]

test('a deployment gets a note on every incident that was already open, after its events', async () => {
  simulator.seed(accountWith({ incidents: INCIDENTS }))
  const { code, stderr } = await runWithRest(simulator.url, [
    'success',
    '--note',
    '--link',
    'https://a.example/build',
  ])
  assert.equal(code, 0, stderr)
  assert.deepEqual(simulator.rest.notes.map(({ incidentId }) => incidentId).toSorted(), ['QACK', 'QOPEN'])
  for (const { content } of simulator.rest.notes) {
    assert.match(content, /acme\/shop@5f0c1d2.*\nhttps:\/\/\S+$/)
  }
  assert.match(stderr, /added a note to 2 open incidents/)
  const paths = simulator.requests.map(({ path }) => path)
  assert.ok(paths.lastIndexOf('/v2/change/enqueue') < paths.findIndex((path) => path.includes('/incidents')))
})

test('run notes the outcome of its command', async () => {
  simulator.seed(accountWith({ incidents: [OPEN] }))
  const { code } = await runWithRest(simulator.url, [
    'run',
    '--note',
    '--',
    process.execPath,
    '-e',
    'process.exit(4)',
  ])
  assert.equal(code, 4)
  assert.match(simulator.rest.notes[0]?.content ?? '', /failed with exit status 4/)
})

test('an account’s token writes in the name of PAGERDUTY_FROM', async () => {
  simulator.seed(accountWith({ tokens: [{ token: REST_TOKEN, kind: 'account' }], incidents: [OPEN] }))
  const { stderr } = await runWithRest(simulator.url, ['success', '--note'], {
    PAGERDUTY_FROM: 'jane@example.com',
  })
  assert.equal(simulator.rest.notes[0]?.author, 'jane@example.com', stderr)
})

test('whatever keeps the note from being written causes a warning and changes nothing else', async () => {
  for (const [env, tokens, message] of [
    [
      {},
      [{ token: REST_TOKEN, kind: 'read-only' }],
      /warning: cannot add a note about the deployment: .*403/,
    ],
    [
      {},
      [{ token: REST_TOKEN, kind: 'account' }],
      /cannot add a note about the deployment: .*400[\s\S]*PAGERDUTY_FROM/,
    ],
    [
      { PAGERDUTY_TOKEN: KEY },
      undefined,
      /cannot add a note about the deployment: --note asks PagerDuty’s REST API/,
    ],
  ] as const) {
    simulator.seed(accountWith({ incidents: [OPEN], tokens: tokens && [...tokens] }))
    const { code, stderr } = await runWithRest(simulator.url, ['failure', '--note'], env)
    assert.equal(code, 0)
    assert.match(stderr, message)
    assert.equal(simulator.alerts[0]?.status, 'triggered')
    simulator.reset()
  }
})

test('a dry run notes nothing', async () => {
  simulator.seed(accountWith({ incidents: [OPEN] }))
  const { code, stderr } = await runWithRest(simulator.url, ['success', '--note', '--dry-run'])
  assert.deepEqual([code, simulator.requests.length], [0, 0])
  assert.match(stderr, /a note about the deployment would be added/)
})
