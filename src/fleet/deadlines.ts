import { createHash } from 'node:crypto'
import { alertKeyOf, deploymentOf } from '../core/deployment.ts'
import type { EventBody } from '../core/event.ts'
import { Failure } from '../core/failure.ts'
import { overdueAlert } from '../core/started.ts'
import { MAX_DEADLINES, type Begun, type DeadlineCounts, type Missed } from '../spool/deadlines.ts'
import { DEFAULT_NAME } from '../spool/key-names.ts'
import { toRow } from '../spool/rows.ts'
import type { SpoolKey } from '../spool/spool.ts'
import type { AddOn } from './adding.ts'
import { mergeTold } from './deployment-records.ts'
import { nextId } from './deployments.ts'
import type { FleetDeadlines } from './engine.ts'
import type { Lane } from './lane.ts'
import { storable } from './rows.ts'
import type { Seal } from './seal.ts'

/** Deadlines that one transaction handles. */
const AT_ONCE = 100

export interface DeadlinesParts {
  readonly lane: Lane
  readonly seal: Seal
  /** Adds events in the transaction that removes their deadlines. */
  readonly addOn: AddOn
}

interface TakenRow {
  readonly alert: string
  readonly build: string
  readonly span_ms: number
  readonly within_ms: number
  readonly late_ms: number
  readonly key_names: readonly string[]
  readonly key_secrets: readonly (Buffer | null)[]
  readonly event: Buffer
}

interface LeftRow {
  readonly build: string
  readonly left_ms: number
}

interface CountRow {
  readonly open: number
  readonly overdue: number
  readonly next_in_ms: number | null
}

/** Deadlines of the whole fleet: any relay accepts a start or an outcome, and one of them triggers the alert. */
export function createFleetDeadlines({ lane, seal, addOn }: DeadlinesParts): FleetDeadlines {
  let known: DeadlineCounts = { open: 0, overdue: 0 }
  const expireSome = (): Promise<Missed[]> =>
    lane.transact(async (run) => {
      const rows = await run<TakenRow>('SELECT * FROM pagerduty_alert.take_deadlines($1)', [AT_ONCE])
      const alerts = rows.map((row) => toAlert(row, seal))
      const items = alerts.flatMap(({ event, keys, originId }) =>
        keys.map((key, index) => ({
          ...toRow({ event, key }, Date.now()),
          originId: `${originId}/${index}`,
          ageMs: 0,
        })),
      )
      await addOn(run, items)
      return alerts.map(({ event }) => ({
        dedupKey: event.body.dedup_key ?? '',
        summary: event.body.payload?.summary ?? '',
      }))
    })
  return {
    begin: async (start) => {
      try {
        return await lane.transact((run) => begin(run, start, seal))
      } catch (error) {
        if (error === NO_ROOM) return { kind: 'full', limit: MAX_DEADLINES }
        if (error instanceof Failure) return { kind: 'unavailable', reason: error.message }
        throw error
      }
    },
    expire: async () => {
      const missed: Missed[] = []
      try {
        for (;;) {
          const some = await expireSome()
          missed.push(...some)
          if (some.length < AT_ONCE) break
        }
        const [row] = await lane.run<CountRow>('SELECT * FROM pagerduty_alert.count_deadlines()')
        known = { open: row?.open ?? 0, overdue: row?.overdue ?? 0 }
        return { missed, nextInMs: row?.next_in_ms ?? undefined }
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        return { missed, nextInMs: undefined, problem: error.message }
      }
    },
    counts: () => known,
  }
}

async function begin(
  run: Lane['run'],
  { event, keys, withinMs, elapsedMs = 0, agoMs = 0 }: Parameters<FleetDeadlines['begin']>[0],
  seal: Seal,
): Promise<Begun> {
  const deployment = deploymentOf(event, Date.now())
  if (deployment === undefined) throw new Error('the event of a start reports no deployment')
  if (seal.mark === null && keys.some(({ kind }) => kind === 'own'))
    return { kind: 'unavailable', reason: 'a caller’s own key is kept only with PAGERDUTY_FLEET_SECRET' }
  const alert = storable(alertKeyOf(event, deployment))
  const stored = keys.map((key) => seal.closeKey(key))
  const names = stored.map(({ name }) => name)
  const secrets = stored.map(({ secret }) => secret)
  // An outcome that is added at the same time comes before this, or ends the deadline.
  await run('SELECT pagerduty_alert.lock_deadline($1, $2, $3)', [alert, names, secrets])
  const merged = await mergeTold(run, { toldId: await nextId(run), deployment })
  if (merged?.state !== 'started') return { kind: 'ended' }
  const build = storable(deployment.buildId ?? '')
  const identity = storable(deployment.identity)
  const rows = await run<LeftRow>('SELECT * FROM pagerduty_alert.deadlines_of($1)', [[identity]])
  const known = rows.find((row) => row.build === build)
  if (withinMs === undefined) return { kind: 'running', dueInMs: known?.left_ms }
  const [row] = await run<{ has_room: boolean }>(
    'SELECT pagerduty_alert.set_deadline($1, $2, $3, $4, $5, $6, $7, $8, $9) AS has_room',
    [
      alert,
      build,
      identity,
      elapsedMs,
      withinMs,
      agoMs,
      names,
      seal.close(JSON.stringify(event.body), placeOf(alert, build)),
      MAX_DEADLINES,
    ],
  )
  if (row?.has_room !== true) throw NO_ROOM
  return { kind: 'running', dueInMs: withinMs - agoMs, isKnown: known !== undefined }
}

/** Undoes the transaction: a deployment whose time nobody watches must not be listed as running. Nobody sees its text. */
const NO_ROOM = new Failure('undelivered', '')

function placeOf(alert: string, build: string): string {
  return JSON.stringify(['deadline', alert, build])
}

function toAlert(row: TakenRow, seal: Seal) {
  const text = seal.open(row.event, placeOf(row.alert, row.build))
  const event = overdueAlert(
    { kind: 'alert', body: text === undefined ? bareBody(row) : (JSON.parse(text) as EventBody) },
    {
      elapsedMs: row.span_ms + row.late_ms,
      silentMs: row.within_ms + row.late_ms,
      nowIso: new Date().toISOString(),
    },
  )
  const keys: SpoolKey[] = row.key_names.map((name, index) =>
    seal.openKey(name, row.key_secrets[index] ?? null),
  )
  const originId = createHash('sha256')
    .update(JSON.stringify([row.alert, row.build, row.span_ms, text]))
    .digest('base64url')
  return { event, keys: keys.length > 0 ? keys : [NO_KEY], originId }
}

/** Of a deadline whose keys are gone: the key of the relay that delivers. */
const NO_KEY: SpoolKey = { kind: 'configured', name: DEFAULT_NAME }

/** If the event cannot be read, somebody still has to learn that a deployment never ended. */
function bareBody({ alert, build }: TakenRow): EventBody {
  return {
    event_action: 'trigger',
    dedup_key: alert,
    payload: {
      summary: `Deployment under the key ${alert}`,
      source: alert,
      severity: 'error',
      custom_details: { ...(build !== '' && { build_id: build }) },
    },
  }
}
