import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { PASSWORD } from '../support/fleet.ts'
import type { Cluster } from '../support/postgres.ts'
import type { Program } from '../support/program.ts'
import { alertBody, keyFor, launchRelay, post } from '../support/relay.ts'
import { stepClock } from '../support/step-clock.ts'
import { until } from '../support/until.ts'
import { REFUSED } from './agreement.ts'
import type { Chance } from './chance.ts'
import type { Trouble } from './fleet-judge.ts'

/** How long an attempt may take; a lease is as short as that lets it be. */
export const TIMEOUT_MS = 1000
/** Each process has a different time, up to this far off, and its clock keeps changing. */
const CLOCK_MS = 3_600_000
/** How many of the events PagerDuty refuses. */
const REFUSED_SHARE = 0.1
const SECRET = 'chaos-chaos-chaos-chaos-chaos-chaos'
/** How long a caller waits for an answer: a relay may be frozen. */
const PATIENCE_MS = 3000
/** How long a relay may be frozen: longer and shorter than a lease. */
const MAX_FROZEN_MS = 8000

/** The relays of one fleet: each is a process with a spool of its own, which is started again when it has ended. */
export interface FleetMembers {
  /** Events that were accepted; PagerDuty refuses those that say so. */
  readonly accepted: Set<string>
  /** How many of them went to a relay's own spool first. */
  readonly throughSpool: () => number
  /** What was done to the relays. */
  readonly troubles: Trouble[]
  readonly logs: () => string
  /** Starts each relay, and again when it has ended, until the signal is aborted. */
  readonly keepRunning: (names: readonly string[], signal: AbortSignal) => Promise<void>
  /**
   * Posts numbered events of an alert, each after the answer to the one before, to a relay chosen at random; but after one that
   * a relay has kept in its own spool, to that relay until the fleet has it.
   */
  readonly post: (alert: string, pauseMs: number, signal: AbortSignal) => Promise<void>
  /** Posts an event of an alert until one is accepted. */
  readonly postOnce: (alert: string, signal: AbortSignal) => Promise<void>
  /** Kills a relay, one of these. @returns whether one was running */
  readonly killOne: (names?: readonly string[]) => Promise<boolean>
  /** Stops a relay where it is, for a while. @returns whether one was running */
  readonly freezeOne: () => boolean
  /** The addresses of those that run. */
  readonly urls: () => string[]
  readonly thawAll: () => void
  readonly killAll: () => Promise<void>
}

/** What goes on during a test. */
export interface RunningMembers {
  /** Abort it when enough is posted. */
  readonly writing: AbortController
  /** Ends all relays. */
  readonly end: () => Promise<void>
}

/** Keeps relays running until the end, which comes with that of the test at the latest. Resolves when all of them listen. */
export async function runMembers(
  t: TestContext,
  members: FleetMembers,
  names: readonly string[],
): Promise<RunningMembers> {
  const [writing, keeping] = [new AbortController(), new AbortController()]
  const kept = members.keepRunning(names, keeping.signal)
  const end = async (): Promise<void> => {
    writing.abort()
    keeping.abort()
    await members.killAll()
    await kept
  }
  t.after(end)
  await until(() => members.urls().length === names.length, 'all relays listen')
  return { writing, end }
}

interface Member {
  readonly name: string
  /** The loopback address under which it knows the simulator, which tells the simulator who it is. */
  readonly host: string
  readonly program: Program
  url: string | undefined
  frozen: { readonly trouble: Trouble; readonly timer: NodeJS.Timeout } | undefined
}

interface MembersOptions {
  readonly directory: string
  readonly chance: Chance
  /** The name of the key that an alert is sent with. */
  readonly keyOf: (alert: string) => string
  /** PAGERDUTY_FLEET_ALONE; default: `never`, since alone, relays do not keep the order among each other. */
  readonly aloneAfter?: string
  /** The only relay that gets the events of an alert; default: any does. */
  readonly relayOf?: (alert: string) => string
}

/** No relay yet. */
export function createFleetMembers(
  simulator: Simulator,
  cluster: Cluster,
  { directory, chance, keyOf, aloneAfter = 'never', relayOf }: MembersOptions,
): FleetMembers {
  const members = new Map<string, Member>()
  const accepted = new Set<string>()
  const troubles: Trouble[] = []
  const texts: string[] = []
  let started = 0
  let throughSpool = 0

  const start = (name: string): Member => {
    started++
    const host = `127.2.${started >> 8}.${started & 255}`
    const { program, url } = launchRelay({
      PAGERDUTY_EVENTS_URL: `http://${host}:${simulator.port}`,
      PAGERDUTY_TOKEN: keyFor('relay'),
      PAGERDUTY_SPOOL: join(directory, name),
      PAGERDUTY_SPOOL_LIMIT: '1000000',
      PAGERDUTY_TIMEOUT: `${TIMEOUT_MS}ms`,
      PAGERDUTY_FLEET: cluster.url('relay', PASSWORD),
      PAGERDUTY_FLEET_SECRET: SECRET,
      PAGERDUTY_FLEET_ALONE: aloneAfter,
      ...stepClock((chance.number() * 2 - 1) * CLOCK_MS),
    })
    const member: Member = { name, host, program, url: undefined, frozen: undefined }
    members.set(name, member)
    url.then(
      (address) => (member.url = address),
      (error: unknown) => {
        if (!program.child.killed) texts.push(String(error))
      },
    )
    return member
  }
  const thaw = (member: Member): void => {
    const { frozen, program } = member
    if (frozen === undefined) return
    clearTimeout(frozen.timer)
    program.child.kill('SIGCONT')
    frozen.trouble.untilMs = Date.now()
    member.frozen = undefined
  }
  const kill = async (member: Member): Promise<boolean> => {
    const { host, program } = member
    clearTimeout(member.frozen?.timer)
    member.url = undefined
    const isKilled = program.child.exitCode === null && program.child.kill('SIGKILL')
    if (isKilled) troubles.push({ kind: 'killed', host, fromMs: Date.now(), untilMs: Date.now() })
    await program.ended
    return isKilled
  }
  const running = (): Member[] => [...members.values()].filter(({ url }) => url !== undefined)
  const urls = (): string[] => running().flatMap(({ url }) => url ?? [])
  return {
    accepted,
    throughSpool: () => throughSpool,
    troubles,
    logs: () => texts.join(''),
    keepRunning: async (names, signal) => {
      const keep = async (name: string): Promise<void> => {
        while (!signal.aborted) {
          const member = start(name)
          const { stderr } = await member.program.ended
          member.url = undefined
          texts.push(stderr)
          if (!member.program.child.killed) texts.push(`ended on its own: ${name}\n`)
        }
      }
      await Promise.all(names.map(keep))
    },
    post: async (alert, pauseMs, signal) => {
      const only = relayOf?.(alert)
      let bound = only
      for (let number = 0; !signal.aborted;) {
        const able = running().filter(({ name }) => bound === undefined || name === bound)
        const target = able.length === 0 ? undefined : chance.pick(able)
        if (target?.url !== undefined) {
          const summary = `${alert} ${number++}${chance.number() < REFUSED_SHARE ? ` ${REFUSED}` : ''}`
          const by = await acceptedBy(target.url, summary, keyOf(alert))
          if (by !== undefined) accepted.add(summary)
          if (by === 'spool') throughSpool++
          if (by !== undefined) bound = by === 'spool' ? target.name : only
        }
        await sleep(pauseMs * (0.5 + chance.number()))
      }
    },
    postOnce: async (alert, signal) => {
      // One whose answer was lost may have been accepted: the next is another event.
      for (let number = 0; !signal.aborted; number++) {
        const url = urls().at(-1)
        const summary = `${alert} ${number}`
        if (url !== undefined && (await acceptedBy(url, summary, keyOf(alert))) !== undefined) {
          accepted.add(summary)
          return
        }
        await sleep(300)
      }
    },
    killOne: async (names) => {
      const able = running().filter(({ name }) => names?.includes(name) !== false)
      return able.length > 0 && (await kill(chance.pick(able)))
    },
    freezeOne: () => {
      const able = running().filter(({ frozen }) => frozen === undefined)
      if (able.length === 0) return false
      const member = chance.pick(able)
      const trouble: Trouble = { kind: 'frozen', host: member.host, fromMs: Date.now(), untilMs: Infinity }
      troubles.push(trouble)
      member.program.child.kill('SIGSTOP')
      const timer = setTimeout(() => thaw(member), chance.number() * MAX_FROZEN_MS)
      member.frozen = { trouble, timer }
      return true
    },
    urls,
    thawAll: () => [...members.values()].forEach(thaw),
    killAll: async () => void (await Promise.all([...members.values()].map(kill))),
  }
}

/** Who has accepted the event; undefined if that is unknown or nobody has. */
async function acceptedBy(url: string, summary: string, key: string): Promise<string | undefined> {
  const [alert = ''] = summary.split(' ')
  const payload = { summary, source: 'chaos', severity: 'info' }
  const body = alertBody({ dedup_key: alert, routing_key: keyFor(key), payload })
  try {
    const answer = await Promise.race([
      post(`${url}/v2/enqueue`, body),
      sleep(PATIENCE_MS, undefined, { ref: false }),
    ])
    await answer?.text()
    return answer?.status === 202 ? (answer.headers.get('x-accepted-by') ?? undefined) : undefined
  } catch {
    return undefined // killed: it may or may not have the event
  }
}
