import type { FastifyRequest } from 'fastify'
import { isoTime } from '../../core/iso-time.ts'
import { version } from '../../version.ts'
import { createKeyFinder } from '../../spool/key-names.ts'
import type { RelayDeps } from '../context.ts'
import { answering, type RouteGroup } from '../describe-route.ts'
import { describeKey } from '../../spool/describe-entry.ts'
import { currentHeadline, describeHeadline, NO_EVENTS, unlessStoreFails } from '../overview.ts'
import { sendJson } from '../result.ts'
import type { KeyReport } from '../../spool/worker/types.ts'

/** The relay's state, for people: what `/metrics` and `/readyz` say, and each routing key. */
export const OVERVIEW_ROUTES: RouteGroup = {
  mount: (app, deps) => {
    app.get('/status', async (request, reply) =>
      sendJson(reply.header('cache-control', 'no-store'), 200, await describeRelay(request, deps)),
    )
  },
  paths: {
    '/status': {
      get: answering(
        'Show the relay’s state: a sentence, counts, and each routing key',
        { description: 'version, headline, counts, spool, fleet, keys' },
        [401, 503],
      ),
    },
  },
}

async function describeRelay({ headers }: FastifyRequest, deps: RelayDeps): Promise<object> {
  const { spool, config, access } = deps
  const session = access.bySession(headers)
  return {
    version,
    started_at: isoTime(deps.startedAtMs),
    region: config.delivery.region,
    may_act: (access.byToken(headers) ?? session) === 'act',
    is_logged_in: session !== undefined,
    headline: describeHeadline(await currentHeadline(deps)),
    counts: (await spool?.counts()) ?? NO_EVENTS,
    not_ready: deps.checkReady(),
    spool: await describeSpool(deps),
    fleet: describeFleet(deps),
    keys: deps.keys().map((report) => describeReport(report, deps)),
  }
}

async function describeSpool({ spool, config, isDelivering, now }: RelayDeps): Promise<object | undefined> {
  if (spool === undefined) return undefined
  const ageMs = await unlessStoreFails(() => spool.oldestPendingAgeMs())
  const setAside = (await unlessStoreFails(() => spool.setAside())) ?? []
  return {
    limit: config.spool?.limit,
    is_delivering: isDelivering(),
    oldest_pending_at: ageMs === undefined ? undefined : isoTime(now() - ageMs),
    set_aside: setAside.length > 0 ? setAside : undefined,
  }
}

function describeFleet({ fleet }: RelayDeps): object | undefined {
  if (fleet === undefined) return undefined
  const { state, origin, keysOwned, leaseMs, isAlone } = fleet.figures()
  return {
    origin,
    database: state.kind,
    problem: state.kind === 'down' ? state.reason : undefined,
    keys_owned: keysOwned,
    lease_seconds: leaseMs === undefined ? undefined : Math.round(leaseMs / 1000),
    accepts_into: acceptsInto({ fleet }),
    delivers_alone: isAlone ? true : undefined,
  }
}

/** Where the next event would be kept; undefined without a fleet. */
export function acceptsInto({ fleet }: Pick<RelayDeps, 'fleet'>): 'spool' | 'fleet' | undefined {
  if (fleet === undefined) return undefined
  return fleet.figures().isBehindSpool ? 'spool' : 'fleet'
}

function describeReport(report: KeyReport, { config }: RelayDeps): object {
  const { key, usedLastMinute, perMinute } = report
  return {
    key: describeKey(key, createKeyFinder(config.delivery.keys)(key)),
    used_last_minute: usedLastMinute,
    per_minute: Number.isFinite(perMinute) ? perMinute : undefined,
    paused_until: isoTime(report.pausedUntilMs),
    next_alert_at: isoTime(report.nextAlertAtMs),
    next_change_at: isoTime(report.nextChangeAtMs),
    last_delivered_at: isoTime(report.lastDeliveredAtMs),
  }
}
