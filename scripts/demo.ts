import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'
import { startSimulator, type Simulator } from '../tools/simulator/simulator.ts'

/*
 * `npm run demo`: a failing and then a succeeding deployment on Codeship Pro, as PagerDuty sees them. It runs the real
 * program, in separate processes, against the simulator on loopback.
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

interface Deployment {
  readonly command: 'failure' | 'success'
  readonly commit: string
  readonly message: string
}

const simulator = await startSimulator()
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
  say(
    'One alert, opened once and closed automatically, and one change event next to it. That is all there is to it.',
  )
} finally {
  await simulator.close()
}

async function deploy({ command, commit, message }: Deployment, story: string): Promise<void> {
  say(styleText('bold', story))
  say(styleText('dim', `$ pagerduty-alert ${command}`))
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('../dist/bin.js', import.meta.url)), command],
    {
      env: {
        ...BUILD,
        CI_COMMIT_ID: commit,
        CI_COMMIT_MESSAGE: message,
        CI_BUILD_ID: `2c8f9f4a-5b7e-4d7e-9a3e-${commit.slice(0, 12)}`,
        PAGERDUTY_EVENTS_URL: simulator.url,
      },
      stdio: 'inherit',
    },
  )
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`pagerduty-alert ${command} ended with ${code}`)
}

function showPagerDuty({ alerts, changes }: Simulator): void {
  say('\n  What PagerDuty shows now:')
  for (const { dedupKey, status, title, event } of alerts) {
    const colour = status === 'resolved' ? 'green' : 'red'
    say(`  ${styleText(colour, `alert, ${status}`)}  ${title}`)
    say(`    severity ${event.payload?.severity}, dedup key ${dedupKey}`)
  }
  for (const { payload } of changes) say(`  ${styleText('cyan', 'change event')}     ${payload.summary}`)
  say('')
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
