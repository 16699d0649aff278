import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach } from 'node:test'
import { startSimulator, type Simulator } from '../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY } from './program.ts'
import { startRelay, type RunningRelay } from './relay.ts'

type Environment = Readonly<Record<string, string>>

/** The simulated PagerDuty of a test file, and relays that send to it. */
export interface SharedRelays {
  readonly simulator: Simulator
  /** The environment of a relay, or of a command, in a build on Codeship Pro. */
  readonly env: Environment
  /** Starts a relay with `env` and more, for one test. */
  readonly startRelay: (more?: Environment) => Promise<RunningRelay>
  /** A directory for a new spool. */
  readonly newSpool: () => string
}

/** Shares them between the tests of a file: each test begins with a simulator that has seen nothing, and ends with no relay. */
export async function shareRelays(): Promise<SharedRelays> {
  const simulator = await startSimulator()
  const root = mkdtempSync(join(tmpdir(), 'spools-'))
  const running: RunningRelay[] = []
  let spools = 0
  after(async () => {
    await simulator.close()
    rmSync(root, { recursive: true })
  })
  beforeEach(() => simulator.reset())
  afterEach(async () => {
    // Until it is gone, what it sends would count for the next test.
    await Promise.all(running.splice(0).map((relay) => relay.stop('SIGKILL')))
  })
  const env = { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url }
  return {
    simulator,
    env,
    startRelay: async (more = {}) => {
      const relay = await startRelay({ ...env, ...more })
      running.push(relay)
      return relay
    },
    newSpool: () => join(root, String(spools++)),
  }
}
