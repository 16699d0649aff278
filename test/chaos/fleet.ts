import { setTimeout as sleep } from 'node:timers/promises'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { startProgram, type Program } from '../support/program.ts'
import { alertBody, keyFor, launchRelay, post } from '../support/relay.ts'
import { stepClock } from '../support/step-clock.ts'
import { deploymentDetails, REFUSED } from './agreement.ts'
import type { Chance } from './chance.ts'

/** How long an attempt of any process may take. */
export const TIMEOUT_MS = 1000
/** Each process has a different time, up to this far off, and its clock keeps changing. */
const CLOCK_MS = 3_600_000

/** A relay or a one-shot command. */
interface Member {
  /** The loopback address under which it knows the simulator, which tells the simulator who it is. */
  readonly host: string
  readonly program: Program
}

/** What writers were told, and what was done to the processes. */
export interface Fleet {
  /** Events that were accepted: answered 202 by a relay, or by exit status 0 of a command. */
  readonly accepted: Set<string>
  /** The same for events that PagerDuty refuses. */
  readonly refused: Set<string>
  /** When each process that has ended was killed, or seen to be gone, by its host; milliseconds since the epoch. */
  readonly endedAtMs: Map<string, number>
  /** The alert that each one-shot command was about, by its host. */
  readonly alertOfCommand: Map<string, string>
  /** What the relays have written to their logs. */
  readonly logs: () => string
  /** Starts a relay. @returns its address when it listens, undefined if it was killed before, and its end */
  readonly startRelay: (offsetMs?: number) => Promise<{ url: string | undefined; ended: Promise<unknown> }>
  /** Posts numbered events of an alert, one after the other, to whichever relay runs. */
  readonly post: (alert: string, signal: AbortSignal) => Promise<void>
  /** The same with the relay's key, which is named as the relay's own and written out in turns. */
  readonly postNamed: (alert: string, signal: AbortSignal) => Promise<void>
  /** Posts deployments of two repositories in turns; PagerDuty is meant to refuse those of one. */
  readonly deploy: (repository: string, signal: AbortSignal) => Promise<void>
  /** Posts events of an alert, with the key of another one, until one is taken. */
  readonly postOnce: (alert: string, keyOf: string, signal: AbortSignal) => Promise<void>
  /** The same with one-shot commands. */
  readonly command: (alert: string, signal: AbortSignal) => Promise<void>
  /** Kills one of the processes. @returns whether it was still running */
  readonly killOne: () => Promise<boolean>
  readonly killAll: () => Promise<void>
}

/** Processes on one spool, none yet. */
export function createFleet(simulator: Simulator, directory: string, chance: Chance): Fleet {
  const members = new Set<Member>()
  const urls = new Map<Member, string>()
  const texts: string[] = []
  const accepted = new Set<string>()
  const refused = new Set<string>()
  const endedAtMs = new Map<string, number>()
  const alertOfCommand = new Map<string, string>()
  let started = 0

  const environment = (offsetMs: number): { host: string; env: Record<string, string> } => {
    started++
    const host = `127.1.${started >> 8}.${started & 255}`
    const env = {
      PAGERDUTY_EVENTS_URL: `http://${host}:${simulator.port}`,
      PAGERDUTY_TOKEN: `commands=${keyFor('commands')}`,
      PAGERDUTY_SPOOL: directory,
      PAGERDUTY_SPOOL_LIMIT: '1000000',
      PAGERDUTY_TIMEOUT: `${TIMEOUT_MS}ms`,
      ...stepClock(offsetMs),
    }
    return { host, env }
  }
  const anyOffset = (): number => (chance.number() * 2 - 1) * CLOCK_MS
  const join = async (member: Member): Promise<void> => {
    members.add(member)
    const { stderr } = await member.program.ended
    if (!endedAtMs.has(member.host)) endedAtMs.set(member.host, Date.now())
    members.delete(member)
    urls.delete(member)
    texts.push(stderr)
  }
  const kill = async ({ host, program }: Member): Promise<boolean> => {
    const isKilled = program.child.kill('SIGKILL')
    if (isKilled) endedAtMs.set(host, Date.now())
    await program.ended
    return isKilled
  }
  return {
    accepted,
    refused,
    endedAtMs,
    alertOfCommand,
    logs: () => texts.join(''),
    startRelay: async (offsetMs = anyOffset()) => {
      const { host, env } = environment(offsetMs)
      const { program, url } = launchRelay(env)
      const member = { host, program }
      void join(member)
      const listening = await url.catch((error: unknown) => {
        if (!program.child.killed) throw error
        return undefined
      })
      if (listening !== undefined && members.has(member)) urls.set(member, listening)
      return { url: listening, ended: program.ended }
    },
    post: async (alert, signal) => {
      for (let number = 0; !signal.aborted; number++) {
        const summary = `${alert} ${number}`
        const running = [...urls.values()]
        if (running.length > 0 && (await isTaken(chance.pick(running), summary))) accepted.add(summary)
        await sleep(300) // little more than the rate of the alert's key, which has to deliver them all in the end
      }
    },
    postNamed: async (alert, signal) => {
      for (let number = 0; !signal.aborted; number++) {
        const summary = `${alert} ${number}`
        const running = [...urls.values()]
        const key = number % 2 === 0 ? 'relay' : keyFor('commands')
        if (running.length > 0 && (await isTaken(chance.pick(running), summary, key))) accepted.add(summary)
        await sleep(2000) // the commands use this key too
      }
    },
    deploy: async (repository, signal) => {
      for (let number = 0; !signal.aborted; number++) {
        const isRefused = number % 2 === 1
        const alert = isRefused ? `${REFUSED}-${repository}` : repository
        const summary = `${alert} ${number}`
        const running = [...urls.values()]
        const details = deploymentDetails(alert, number)
        if (running.length > 0 && (await isTaken(chance.pick(running), summary, undefined, details)))
          (isRefused ? refused : accepted).add(summary)
        await sleep(300)
      }
    },
    postOnce: async (alert, keyOf, signal) => {
      // One whose answer was lost may have been taken: the next is another event.
      for (let number = 0; !signal.aborted; number++) {
        const summary = `${alert} ${number}`
        const running = [...urls.values()]
        if (running.length > 0 && (await isTaken(chance.pick(running), summary, keyFor(keyOf)))) {
          accepted.add(summary)
          return
        }
        await sleep(300)
      }
    },
    command: async (alert, signal) => {
      for (let number = 0; !signal.aborted; number++) {
        const summary = `${alert} ${number}`
        const { host, env } = environment(anyOffset())
        alertOfCommand.set(host, alert)
        const args = ['trigger', '--summary', summary, '--dedup-key', alert, '--deadline', '2s']
        const program = startProgram(args, { env })
        void join({ host, program })
        if ((await program.ended).code === 0) accepted.add(summary)
        await sleep(300)
      }
    },
    killOne: async () => (members.size > 0 ? await kill(chance.pick([...members])) : false),
    killAll: async () => void (await Promise.all([...members].map(kill))),
  }
}

/** Whether a relay says that it has taken the event. */
async function isTaken(
  url: string,
  summary: string,
  key?: string,
  details?: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const [alert = ''] = summary.split(' ')
  const payload = { summary, source: 'chaos', severity: 'info', custom_details: details }
  const body = alertBody({ dedup_key: alert, routing_key: key ?? keyFor(alert), payload })
  // A relay that was killed breaks the connection: it may or may not have the event.
  const answer = await post(`${url}/v2/enqueue`, body).catch(() => undefined)
  await answer?.text().catch(() => undefined)
  return answer?.status === 202
}
