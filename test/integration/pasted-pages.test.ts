import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, beforeEach, test } from 'node:test'
import { EXAMPLE_ACCOUNT } from '../../tools/simulator/example-account.ts'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { BIN } from '../support/program.ts'
import { skipWithout } from '../support/required.ts'
import { startRelay } from '../support/relay.ts'
import { runProcess } from '../support/shell-script.ts'

/*
 * The commands of the pages that a newcomer pastes, as they stand: only the simulator's address and the alias of the
 * program, which a script does not expand, are replaced.
 */

const simulator = await startSimulator({ rest: EXAMPLE_ACCOUNT, alertsAreIncidents: true })
after(() => simulator.close())
beforeEach(() => simulator.reset())

function shellBlocks(page: string): string[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
}

/** Runs pasted lines in one shell, as on a laptop; `#status` lines tell how each command of the program ended. */
async function paste(lines: string, relayUrl = ''): Promise<{ statuses: number[]; said: string }> {
  const script = lines
    .replaceAll('http://127.0.0.1:9999', simulator.url)
    .replaceAll('http://127.0.0.1:8080', relayUrl)
    .replace(/^alias .*\n/gm, '')
  const program = `program() { '${process.execPath}' '${BIN}' "$@"; echo "#status $?" >&2; }\n`
  const { stdout, stderr } = await runProcess(
    ['sh', '-c', program + script.replaceAll(/(?<![\w/-])pagerduty-alert (?=[a-z])/g, 'program ')],
    { env: { PATH: process.env['PATH'] ?? '' } },
  )
  const statuses = [...stderr.matchAll(/^#status (\d+)$/gm)].map(([, status]) => Number(status))
  return { statuses, said: stdout + stderr }
}

test('docs/rest.md: gate passes, stops and passes again, as the page says', async () => {
  const block = shellBlocks('rest.md').find((lines) => lines.includes(' gate\n')) ?? ''
  const { statuses, said } = await paste(block.replace('sleep 3', 'true'))
  assert.deepEqual(statuses, [0, 0, 1, 0, 0, 0], said)
  assert.equal(simulator.rest.windows.length, 1)
})

test('docs/getting-started.md: every command ends well, and no alert is left open', async () => {
  const lines = shellBlocks('getting-started.md')
    .filter((block) => !/npm (?:ci|run)|unset|\.\/deploy\.sh/.test(block))
    .join('')
  const { statuses, said } = await paste(lines)
  // doctor checks an http address, and `false` is what its own status says.
  assert.deepEqual(statuses, [0, 0, 0, 0, 0, 1, 0], said)
  assert.ok(simulator.alerts.length >= 2)
  for (const { status, title } of simulator.alerts) assert.equal(status, 'resolved', title)
})

test(
  'docs/sidecar.md: what is posted by hand is accepted, and the alert ends resolved',
  { skip: skipWithout('curl') },
  async () => {
    const blocks = shellBlocks('sidecar.md')
    const relay = await startRelay({
      PAGERDUTY_TOKEN: /PAGERDUTY_TOKEN=(\w+)/.exec(blocks[0] ?? '')?.[1] ?? '',
      PAGERDUTY_EVENTS_URL: simulator.url,
      CI_REPO_NAME: /CI_REPO_NAME=(\S+)/.exec(blocks[0] ?? '')?.[1] ?? '',
    })
    try {
      const { said } = await paste(blocks[1] ?? '', relay.url)
      assert.equal(said.split('\n').filter((line) => line.startsWith('{"status":"success"')).length, 3, said)
      assert.deepEqual(
        simulator.alerts.map(({ status }) => status),
        ['resolved'],
      )
    } finally {
      await relay.stop()
    }
  },
)
