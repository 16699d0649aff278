import { join } from 'node:path'
import { environment } from './build.ts'
import { measure, type Cost, type Effort, type Variant } from './measure.ts'
import { isPresent, peersFor } from './peers.ts'
import { BIN } from './processes.ts'
import type { Bench } from './section.ts'
import { CERTIFICATE_FILE, writeRoots } from './servers.ts'

const ROUNDS = 21

/** What was measured for one kind of path, the floor first, and which peers this machine lacks. */
export interface OneShots {
  readonly costs: readonly Cost[]
  readonly missing: readonly string[]
}

/** Node that does nothing: no program on Node can be faster. */
const FLOOR: Variant = { name: 'node -e 0', argv: [process.execPath, '-e', '0'], env: environment() }

/** Our commands that send, by what they are compared as. */
export const SENDING = { failure: 'pagerduty-alert failure', success: 'pagerduty-alert success (two events)' }

/** Times commands that send nothing. */
export function measureIdle({ isSmoke }: Bench): OneShots {
  const env = environment()
  const ours = (name: string, ...args: string[]): Variant => ({
    name,
    argv: [process.execPath, BIN, ...args],
    env,
  })
  const variants = [
    FLOOR,
    ours('pagerduty-alert --version', '--version'),
    ours('pagerduty-alert --help', '--help'),
    { ...ours('pagerduty-alert, a refusal', 'success', '--severity', 'P1'), status: 64 },
    ours('pagerduty-alert success --dry-run', 'success', '--dry-run'),
  ]
  return { costs: measure(variants, effortOf(isSmoke)), missing: [] }
}

/**
 * Times one event as a whole process, beside peers.
 * @param packages where `installPeers` has put its own
 */
export function measureSending(baseUrl: string, packages: string, { folder, isSmoke }: Bench): OneShots {
  const roots = join(folder, 'roots.pem')
  writeRoots(roots)
  const peers = peersFor(baseUrl, { roots, packages })
  const present = peers.filter(isPresent)
  return {
    costs: measure([FLOOR, ...oursFor(baseUrl), ...present], effortOf(isSmoke)),
    missing: peers.filter((peer) => !present.includes(peer)).map(({ name }) => name),
  }
}

function oursFor(baseUrl: string): Variant[] {
  const trust = baseUrl.startsWith('https:') ? { NODE_EXTRA_CA_CERTS: CERTIFICATE_FILE } : {}
  const env = environment({ PAGERDUTY_EVENTS_URL: baseUrl, ...trust })
  const sending = (name: string, command: string): Variant => ({
    name,
    argv: [process.execPath, BIN, command, '--quiet'],
    env,
  })
  return [sending(SENDING.failure, 'failure'), sending(SENDING.success, 'success')]
}

function effortOf(isSmoke: boolean): Effort {
  return { rounds: isSmoke ? 1 : ROUNDS, budgetMs: 75_000 }
}
