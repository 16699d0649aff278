import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs, styleText } from 'node:util'
import { EXAMPLE, EXAMPLE_ACCOUNT } from '../tools/simulator/example-account.ts'
import { startSimulator, type Simulator } from '../tools/simulator/simulator.ts'

/*
 * `npm run demo`: a failing and then a succeeding deployment on Codeship Pro, one that never ends, and one that goes bad
 * afterwards, as PagerDuty sees them. It runs the real program, in separate processes, against the simulator on loopback. With `-- --page` everything
 * goes through a relay, which stays open for its page.
 */

/** What Codeship Pro gives every step; the key is invented. */
const BUILD = {
  CI: 'true',
  CI_NAME: 'codeship',
  CI_BRANCH: 'master',
  CI_PROJECT_ID: '7f0e6c9a-1b2c-4d3e-8f90-a1b2c3d4e5f6',
  CI_REPO_NAME: 'acme/shop',
  CI_COMMITTER_NAME: 'Jane Doe',
  CI_PR_NUMBER: '0',
  CI_PULL_REQUEST: 'false',
  PAGERDUTY_TOKEN: '0demo0demo0demo0demo0demo0demo00',
  PAGERDUTY_ENVIRONMENT: 'production',
}

const PROGRAM = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
/** How long to wait for what should take a few seconds. */
const WAIT_MS = 60_000

interface Deployment {
  readonly command: 'failure' | 'success'
  readonly commit: string
  readonly message: string
}

const { values } = parseArgs({ options: { page: { type: 'boolean', default: false } } })
const simulator = await startSimulator()
const shared = values.page ? await startSharedRelay() : undefined
try {
  say('A PagerDuty simulator is listening on loopback. Nothing leaves this machine.\n')
  await deploy(
    {
      command: 'failure',
      commit: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
      message: 'Charge cards in one request',
    },
    'Monday: the deployment fails. Its script ends with `pagerduty-alert failure`.',
  )
  showPagerDuty(simulator)
  await deploy(
    { command: 'success', commit: '9a8b7c6d5e4f30211203f4e5d6c7b8a990817263', message: 'Charge cards once' },
    'An hour later: the fix goes out. The last step of the build is `pagerduty-alert success`.',
  )
  showPagerDuty(simulator)
  say('One alert, opened once and closed automatically, and one change event next to it.\n')
  await loseADeployment()
  showPagerDuty(simulator)
  say('Nobody had to be there to say so. The next success closes that alert, too.\n')
  await breakProduction()
  showPagerDuty(simulator)
  say(
    'The person who is paged reads what was deployed, and that it is already rolled back. That is all there is to it.',
  )
  if (shared === undefined) say('\nTo see all this on a relay’s page, run: npm run demo -- --page')
  else {
    say(`\nThe relay has a page: ${styleText('bold', shared.url)}\nCtrl+C ends it.`)
    await shared.ended
  }
} finally {
  await shared?.stop()
  await simulator.close()
}

interface SharedRelay {
  readonly url: string
  /** Resolves when somebody has ended it. */
  readonly ended: Promise<unknown>
  /** Resolves when PagerDuty has everything that the relay has accepted. */
  readonly delivered: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** Starts a relay with a spool, on a free port of loopback. */
async function startSharedRelay(): Promise<SharedRelay> {
  const spool = mkdtempSync(join(tmpdir(), 'demo-'))
  const relay = start(['serve'], {
    PAGERDUTY_TOKEN: BUILD.PAGERDUTY_TOKEN,
    PAGERDUTY_RELAY_PORT: '0',
    PAGERDUTY_SPOOL: spool,
    PAGERDUTY_ROLLBACK_HINT: './deploy.sh --to {{shortCommit}}',
  })
  relay.stderr.resume()
  const ended = once(relay, 'exit')
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => relay.kill())
  const [line] = (await once(relay.stdout, 'data')) as [Buffer]
  const url = line.toString().trim()
  return {
    url,
    ended,
    delivered: async () => {
      while ((await pendingOf(url)) > 0) await sleep(50)
    },
    stop: async () => {
      relay.kill()
      await ended
      rmSync(spool, { recursive: true, force: true })
    },
  }
}

/** How many events a relay has still to deliver. */
async function pendingOf(url: string): Promise<number> {
  const { counts } = (await (await fetch(`${url}/status`)).json()) as { counts: { pending: number } }
  return counts.pending
}

/** A build is killed in the middle of its deployment, and the relay that outlives it notices. */
async function loseADeployment(): Promise<void> {
  simulator.reset()
  const env = { PAGERDUTY_TOKEN: BUILD.PAGERDUTY_TOKEN, PAGERDUTY_RELAY_PORT: '0' }
  const relay = shared === undefined ? start(['serve'], env) : undefined
  try {
    const [line = ''] = relay === undefined ? [] : ((await once(relay.stdout, 'data')) as [Buffer])
    say(styleText('bold', 'Friday: the machine of a build is lost while it deploys. A relay runs elsewhere.'))
    // It waits for its input, so it never ends on its own, and ends with this demo.
    const words = ['run', '--within', '2s', '--', 'cat']
    say(styleText('dim', `$ pagerduty-alert ${words.join(' ')}`))
    const build = start(words, {
      ...BUILD,
      CI_COMMIT_ID: '1b2c3d4e5f60718293a4b5c6d7e8f90112233445',
      CI_COMMIT_MESSAGE: 'Add gift cards',
      CI_BUILD_ID: '43',
      PAGERDUTY_RELAY_URL: shared?.url ?? line.toString().trim(),
    })
    await once(build.stderr, 'data') // the relay watches the clock now
    build.kill('SIGKILL')
    say(styleText('dim', 'Killed. Nothing can report that from inside.'))
    await simulator.waitForRequests(1, WAIT_MS)
    build.stdin.end()
  } finally {
    relay?.kill()
  }
}

/** A deployment succeeds, and an incident opens soon after it. */
async function breakProduction(): Promise<void> {
  simulator.reset()
  const incident = {
    id: 'QDEMO',
    serviceId: 'PSHOP',
    title: 'Checkout is down',
    createdAt: new Date().toISOString(),
  }
  simulator.seed(EXAMPLE_ACCOUNT)
  say(styleText('bold', 'Monday: a deployment succeeds. `watch` then looks at the service for a while.'))
  say(styleText('dim', '$ pagerduty-alert watch --for 10s --note -- ./rollback.sh'))
  const rollback = [process.execPath, '-e', 'console.log("rollback.sh: back on the last good version")']
  const watch = start(['watch', '--for', '10s', '--note', '--', ...rollback], {
    ...BUILD,
    CI_COMMIT_ID: '7c6b5a4938271605f4e3d2c1b0a9f8e7d6c5b4a3',
    CI_COMMIT_MESSAGE: 'Show prices with tax',
    CI_BUILD_ID: '44',
    PAGERDUTY_API_TOKEN: EXAMPLE.apiToken,
    PAGERDUTY_SERVICE_ID: EXAMPLE.serviceId,
    PAGERDUTY_API_URL: simulator.url,
  })
  for (const output of [watch.stdout, watch.stderr]) output.pipe(process.stdout, { end: false })
  await simulator.waitForRequests(3, WAIT_MS) // it has seen that nothing is open
  simulator.seed({ ...EXAMPLE_ACCOUNT, incidents: [incident] })
  const [code] = (await once(watch, 'close')) as [number]
  if (code !== 1) throw new Error(`pagerduty-alert watch ended with ${code}`)
}

/** Starts the program in the background. */
function start(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcessByStdio<Writable, Readable, Readable> {
  const options = { PATH: process.env['PATH'] ?? '', PAGERDUTY_EVENTS_URL: simulator.url, ...env }
  return spawn(process.execPath, [PROGRAM, ...words], {
    env: options,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

async function deploy({ command, commit, message }: Deployment, story: string): Promise<void> {
  say(styleText('bold', story))
  say(styleText('dim', `$ pagerduty-alert ${command}`))
  const child = spawn(process.execPath, [PROGRAM, command], {
    env: {
      ...BUILD,
      CI_COMMIT_ID: commit,
      CI_COMMIT_MESSAGE: message,
      CI_BUILD_ID: `2c8f9f4a-5b7e-4d7e-9a3e-${commit.slice(0, 12)}`,
      ...(shared === undefined
        ? { PAGERDUTY_EVENTS_URL: simulator.url }
        : { PAGERDUTY_RELAY_URL: shared.url }),
    },
    stdio: 'inherit',
  })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`pagerduty-alert ${command} ended with ${code}`)
  await shared?.delivered()
}

function showPagerDuty({ alerts, changes, rest }: Simulator): void {
  say('\n  What PagerDuty shows now:')
  for (const { dedupKey, status, title, event } of alerts) {
    const colour = status === 'resolved' ? 'green' : 'red'
    say(`  ${styleText(colour, `alert, ${status}`)}  ${title}`)
    say(`    severity ${event.payload?.severity}, dedup key ${dedupKey}`)
  }
  for (const { payload } of changes) say(`  ${styleText('cyan', 'change event')}     ${payload.summary}`)
  for (const { incidentId, content } of rest.notes)
    say(`  ${styleText('yellow', 'note')}             on ${incidentId}: ${content.replaceAll('\n', ' · ')}`)
  say('')
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
