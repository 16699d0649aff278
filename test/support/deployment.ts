import { readFileSync } from 'node:fs'
import { startSimulator, type Simulator } from '../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY, runProgram, startProgram, type Program, type Run } from './program.ts'

/** Options for running a watched command that differ from the defaults. */
export interface WatchOptions {
  /** Options of `run`. */
  readonly options?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
}

/** Deployments that are watched by `run`, and the PagerDuty that is told. */
export interface Deployments {
  readonly simulator: Simulator
  /** A Codeship Pro build's environment whose events reach the simulator. */
  readonly env: Readonly<Record<string, string>>
  readonly watch: (command: readonly string[], options?: WatchOptions) => Promise<Run>
  readonly start: (command: readonly string[], options?: WatchOptions) => Program
  /** What was sent: `change` or the action of an alert event, sorted. */
  readonly sent: () => string[]
  /** `custom_details` of the alert, or else of the change event. */
  readonly details: () => Record<string, unknown>
}

export async function startDeployments(): Promise<Deployments> {
  const simulator = await startSimulator()
  const env = {
    ...CODESHIP_PRO,
    PATH: process.env['PATH'] ?? '',
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_EVENTS_URL: simulator.url,
  }
  const line = (command: readonly string[], options: readonly string[] = []): string[] => [
    'run',
    ...options,
    '--',
    ...command,
  ]
  return {
    simulator,
    env,
    watch: async (command, options = {}) => {
      return await runProgram(line(command, options.options), { env, ...options })
    },
    start: (command, options = {}) => startProgram(line(command, options.options), { env, ...options }),
    sent: () =>
      simulator.requests
        .map(({ json }) => (json as { event_action?: string }).event_action ?? 'change')
        .toSorted(),
    details: () => {
      const { payload } = simulator.alerts[0]?.event ?? simulator.changes[0] ?? {}
      return (payload?.custom_details ?? {}) as Record<string, unknown>
    },
  }
}

/** The command that has a shell run a script. */
export function shell(script: string): string[] {
  return ['sh', '-c', script]
}

/** Whether a process runs: not one that has ended and waits to be reaped. */
export function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}
