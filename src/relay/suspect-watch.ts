import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Failure } from '../core/failure.ts'
import { successKeyFor } from '../core/identity.ts'
import { noteAboutSuspects, suspectOf, SUSPECT_TITLE, type Suspect } from '../core/suspects.ts'
import { composeRestClient } from '../compose.ts'
import type { RelayConfig } from '../config/load-relay.ts'
import type { ServiceChoice } from '../config/rest.ts'
import type { RestClient } from '../rest/client.ts'
import { addNoteOnce, latestIncidents, listIncidentsSince, listNotes } from '../rest/incidents.ts'
import type { Incident } from '../rest/resources.ts'
import { findServiceId, needService } from '../rest/service.ts'
import type { DeploymentEntry, DeploymentStore } from '../spool/deployment-log.ts'
import { version } from '../version.ts'

/** One list of incidents in this time, whatever was deployed. */
const LOOK_EVERY_MS = 15_000
/** A short watch looks more often: this many times. */
const LOOKS_A_WATCH = 10
const LEAST_PAUSE_MS = 500
/** The same after a refusal, which does not pass so soon. */
const LOOK_AGAIN_MS = 5 * 60_000
/** How far back incidents are listed before the first deployment: clocks differ. */
const CLOCK_MARGIN_MS = 60 * 60_000
/** Deployments that are watched at the same time. */
const WATCHED = 100

/** What a watch of deployments needs. */
export interface SuspectWatchOptions {
  readonly client: RestClient
  readonly service: ServiceChoice
  readonly watchMs: number
  readonly deployments: DeploymentStore
  readonly logger: Pick<Logger, 'info' | 'warn'>
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** What a relay's watch is made of. */
interface RelayWatch extends Pick<SuspectWatchOptions, 'deployments' | 'logger'> {
  readonly config: RelayConfig
}

/** With `--watch`, watches deployments with the relay's REST API token, until the signal aborts. */
export async function startSuspectWatch(
  { config, deployments, logger }: RelayWatch,
  signal: AbortSignal,
): Promise<void> {
  const { delivery, rest, watchMs } = config
  if (watchMs === undefined) return
  const { token, service } = needService('--watch', rest)
  const client = await composeRestClient({
    delivery,
    rest,
    token,
    version,
    deadlineAtMs: () => performance.now() + delivery.timeoutMs,
    signal,
    isLongLived: true,
    log: (line) => logger.info(line),
  })
  logger.info('incidents that open after a deployment get a note')
  await watchSuspects({ deployments, logger, watchMs, client, service, now: Date.now }, signal)
  await client.close()
}

/**
 * Writes a note on each incident that opens soon after a deployment, until the signal aborts. What goes wrong is logged, and
 * tried again: an incident that opened while PagerDuty did not answer gets its note later.
 */
async function watchSuspects(options: SuspectWatchOptions, signal: AbortSignal): Promise<void> {
  const look = createSuspectLook(options)
  const { logger, watchMs } = options
  const everyMs = Math.min(LOOK_EVERY_MS, Math.max(LEAST_PAUSE_MS, watchMs / LOOKS_A_WATCH))
  let failure: string | undefined
  while (!signal.aborted) {
    let pauseMs = everyMs
    try {
      await look()
      if (failure !== undefined) logger.info('looking for incidents after deployments again')
      failure = undefined
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (error.message !== failure && !signal.aborted)
        logger.warn(`cannot look for incidents after deployments: ${error.message}`)
      failure = error.message
      if (error.kind !== 'undelivered') pauseMs = LOOK_AGAIN_MS
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
  }
}

/** One look, which asks PagerDuty only if something was deployed lately. Throws a `Failure` if it does not answer. */
function createSuspectLook(options: SuspectWatchOptions): () => Promise<void> {
  const { client, service, watchMs, deployments, now } = options
  const startedAtMs = now()
  /** When each deployment was seen first, by this process. */
  const knownAtMs = new Map<number, number | undefined>()
  const handled = new Set<string>()
  let lookedAtMs = startedAtMs - watchMs
  let serviceId: string | undefined
  let isFirst = true
  return async () => {
    const nowMs = now()
    const entries = await deployments.list({
      sinceMs: lookedAtMs - 4 * watchMs - CLOCK_MARGIN_MS,
      limit: WATCHED,
    })
    for (const id of knownAtMs.keys()) if (!entries.some((entry) => entry.id === id)) knownAtMs.delete(id)
    for (const { id } of entries) if (!knownAtMs.has(id)) knownAtMs.set(id, isFirst ? undefined : nowMs)
    isFirst = false
    const suspects = entries
      .map((entry) => ({ entry, ...suspectOf(entry, knownAtMs.get(entry.id), watchMs) }))
      .filter(({ untilMs }) => untilMs >= lookedAtMs)
    if (suspects.length > 0) {
      serviceId ??= await findServiceId(client, service)
      const fromMs = Math.min(...suspects.map((suspect) => suspect.startedAtMs)) - CLOCK_MARGIN_MS
      const where = { serviceId, since: new Date(fromMs).toISOString() }
      for (const incident of await latestIncidents(client, where)) {
        const { id } = incident
        if (id === undefined || handled.has(id)) continue
        const suspected = suspects.filter((suspect) => isSuspect(suspect, incident))
        if (suspected.length > 0) {
          await noteSuspects(options, { id, where, suspected })
          handled.add(id)
        }
      }
    }
    lookedAtMs = nowMs
  }
}

function isSuspect({ startedAtMs, untilMs }: Suspect, { created_at: createdAt = '' }: Incident): boolean {
  const openedAtMs = Date.parse(createdAt)
  // PagerDuty writes whole seconds.
  return openedAtMs >= Math.floor(startedAtMs / 1000) * 1000 && openedAtMs <= untilMs
}

interface Suspected {
  readonly id: string
  readonly where: { readonly serviceId: string; readonly since: string }
  readonly suspected: readonly (Suspect & { readonly entry: DeploymentEntry })[]
}

/** Notes an incident, unless it is that of the deployments' own alerts, or has such a note already. */
async function noteSuspects(
  { client, deployments, logger }: SuspectWatchOptions,
  { id, where, suspected }: Suspected,
): Promise<void> {
  const identities = new Set(suspected.map(({ entry }) => entry.identity))
  for (const alertKey of [...identities].flatMap((identity) => [identity, successKeyFor(identity)])) {
    const own = await listIncidentsSince(client, { ...where, alertKey })
    if (own.some((incident) => incident.id === id)) return
  }
  const notes = await listNotes(client, id)
  if (notes.some((note) => note.startsWith(SUSPECT_TITLE))) return
  const named = await Promise.all(
    suspected.map(async ({ entry }) => {
      const before = { identity: entry.identity, outcome: 'success', beforeId: entry.id, limit: 1 } as const
      const [lastGood] = await deployments.list(before)
      return { deployment: entry, lastGood }
    }),
  )
  await addNoteOnce(client, id, noteAboutSuspects(named))
  logger.info(
    `noted ${named.length === 1 ? 'a deployment' : `${named.length} deployments`} on the incident ${id}`,
  )
}
