import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { freePort } from '../../support/free-port.ts'
import { until } from '../../support/until.ts'
import { KEY } from '../../support/program.ts'
import { startRelay } from '../../support/relay.ts'
import { programPath, skipWithout } from '../../support/required.ts'
import { temporaryDirectory } from '../../support/spool.ts'

const skip = skipWithout('alertmanager')
/** Long enough for its own grouping and retries on a busy machine. */
const PATIENCE_MS = 180_000

/** Alertmanager with the receiver of `docs/sidecar.md`, impatient. Returns the address of its API. */
async function startAlertmanager(
  t: TestContext,
  relayUrl: string,
  receivers: readonly object[] = [{}],
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'alertmanager-'))
  const config = {
    route: { receiver: 'pagerduty', group_by: ['alertname'], group_wait: '0s', group_interval: '1s' },
    receivers: [
      {
        name: 'pagerduty',
        pagerduty_configs: receivers.map((more) => ({
          routing_key: 'relay',
          url: `${relayUrl}/v2/enqueue`,
          ...more,
        })),
      },
    ],
  }
  const file = join(directory, 'alertmanager.yml')
  writeFileSync(file, JSON.stringify(config)) // which is YAML, too
  const port = await freePort()
  const child = spawn(programPath('alertmanager'), [
    `--config.file=${file}`,
    `--storage.path=${directory}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
  ])
  t.after(async () => {
    await kill(child)
    rmSync(directory, { recursive: true })
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const url = `http://127.0.0.1:${port}`
  const isReady = async (): Promise<boolean> => {
    assert.equal(child.exitCode, null, said)
    return await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  }
  await until(isReady, 'Alertmanager is ready', PATIENCE_MS)
  return url
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGKILL')
  await ended
}

async function tell(url: string, endsAt: Date | undefined): Promise<void> {
  const alert = {
    labels: { alertname: 'DiskFull', instance: 'db-1' },
    annotations: { summary: 'The disk of db-1 is full' },
    startsAt: new Date(Date.now() - 60_000).toISOString(),
    ...(endsAt && { endsAt: endsAt.toISOString() }),
  }
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/api/v2/alerts`, {
    method: 'POST',
    headers,
    body: JSON.stringify([alert]),
  })
  assert.equal(answer.status, 200)
}

for (const isKept of [false, true]) {
  const what = isKept ? 'with a spool' : 'without a spool'
  test(
    `Alertmanager fires and resolves through a relay ${what}, also while PagerDuty fails`,
    { skip },
    async (t) => {
      const simulator = await startSimulator()
      t.after(() => simulator.close())
      const relay = await startRelay({
        PAGERDUTY_TOKEN: KEY,
        PAGERDUTY_EVENTS_URL: simulator.url,
        ...(isKept && { PAGERDUTY_SPOOL: temporaryDirectory(t) }),
      })
      t.after(() => relay.stop())
      simulator.behave({ times: 2, behaviour: { kind: 'answer', status: 503 } })
      const url = await startAlertmanager(t, relay.url)
      await tell(url, undefined)
      await until(() => simulator.alerts[0]?.status === 'triggered', 'it fires', PATIENCE_MS)
      await tell(url, new Date())
      await until(() => simulator.alerts[0]?.status === 'resolved', 'it is resolved', PATIENCE_MS)
      const [alert, ...others] = simulator.alerts
      assert.deepEqual([alert?.routingKey, others], [KEY, []])
      assert.match(alert?.title ?? '', /DiskFull/)
      assert.match(JSON.stringify(alert?.event), /The disk of db-1 is full/)
      assert.ok(simulator.requests.length >= 4, 'it was tried again')
    },
  )
}

/** What people configure, by the client's name under which its pages are recognized. Alertmanager repeats nothing that is answered 400. */
const ODD_CONFIGS: Readonly<Record<string, object>> = {
  'no href': { images: [{ src: 'https://grafana.example/graph.png', alt: 'Graph' }] },
  'an href that is a path': { images: [{ src: 'https://grafana.example/graph.png', href: '/d/1' }] },
  'an image over http': { images: [{ src: 'http://grafana.example/graph.png' }] },
  'an image without a source': {
    images: [{ src: '{{ .CommonAnnotations.graph }}', href: 'https://a.example' }],
  },
  'a link that is a path': { links: [{ href: '{{ .CommonAnnotations.runbook }}/x', text: 'Runbook' }] },
  'a client_url that is a path': { client_url: '/alerts' },
  'a client_url that is a word': { client_url: 'alertmanager' },
  'a client_url that renders empty': { client_url: '{{ .CommonAnnotations.none }}' },
  'blank fields': { class: ' ', component: '', group: '{{ .CommonAnnotations.none }}' },
}

test('Alertmanager with odd images, links and addresses: every page is delivered', { skip }, async (t) => {
  const simulator = await startSimulator()
  t.after(() => simulator.close())
  const relay = await startRelay({ PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url })
  t.after(() => relay.stop())
  const names = Object.keys(ODD_CONFIGS).toSorted()
  const receivers = Object.entries(ODD_CONFIGS).map(([client, more]) => ({ client, ...more }))
  const url = await startAlertmanager(t, relay.url, receivers)
  const bodies = (): Record<string, unknown>[] =>
    simulator.requests.map(({ body }) => JSON.parse(String(body)) as Record<string, unknown>)
  const paged = (): string[] =>
    bodies().flatMap(({ client, event_action: action }) => (action === 'trigger' ? [String(client)] : []))
  await tell(url, undefined)
  await until(() => new Set(paged()).size === names.length, 'every page is delivered', PATIENCE_MS)
  assert.deepEqual([...new Set(paged())].toSorted(), names)
  const withImage = bodies().find(({ client }) => client === 'no href')
  assert.deepEqual(withImage?.['images'], [{ src: 'https://grafana.example/graph.png', alt: 'Graph' }])
  await tell(url, new Date())
  await until(() => simulator.alerts[0]?.status === 'resolved', 'it is resolved', PATIENCE_MS)
  assert.doesNotMatch(relay.log(), / 400 /)
})
