import type { FleetConfig } from '../config/fleet.ts'
import { Failure } from '../core/failure.ts'
import { connectToPrimary, destroy, type Connected } from './connect.ts'
import type { EngineState } from './engine.ts'
import { createLane, type Lane } from './lane.ts'
import type { Seal } from './seal.ts'
import { describeError, isConfigurationError } from './server-errors.ts'

/** Version of the tables and functions in `schema/`. Within it, only additions are made. */
export const SCHEMA_VERSION = 1

/** Limit for each node at first; later attempts give it more, in case it is only slow. */
const CONNECT_TIMEOUT_MS = 1000
const MAX_CONNECT_TIMEOUT_MS = 8000
/** A statement that takes longer counts as lost, with its connection. */
const STATEMENT_TIMEOUT_MS = 10_000

/** The fleet's PostgreSQL: its lanes share what is known about it. */
export interface Server {
  readonly createLane: (onConnected?: (connected: Connected) => Promise<void>) => Lane
  readonly state: () => EngineState
  readonly onState: (listener: (state: EngineState) => void) => () => void
  readonly onRefused: (listener: (reason: string) => void) => () => void
}

/** Connects nothing until a lane is used. */
export function createServer(
  { server }: FleetConfig,
  seal: Seal,
  connectTimeoutMs = CONNECT_TIMEOUT_MS,
): Server {
  const states = createListeners<EngineState>()
  const refusals = createListeners<string>()
  let state: EngineState = { kind: 'down', reason: 'not connected yet', isConfiguration: false }
  let good: Connected['host'] | undefined
  const setState = (next: EngineState): void => {
    const isNews =
      next.kind !== state.kind ||
      (next.kind === 'down' && state.kind === 'down' && next.reason !== state.reason)
    state = next
    if (isNews) states.tell(next)
  }
  const connect = async (attempt: number, onConnected: LaneListener): Promise<Connected> => {
    const timeoutMs = Math.min(MAX_CONNECT_TIMEOUT_MS, connectTimeoutMs * 2 ** (attempt - 1))
    const connected = await connectToPrimary({
      server,
      first: good,
      timeoutMs,
      applicationName: 'pagerduty-alert',
    })
    try {
      await checkSchema(connected, seal)
      await onConnected?.(connected)
    } catch (error) {
      destroy(connected.client)
      if (error instanceof Failure) throw error
      const kind = isConfigurationError(error) ? 'config' : 'undelivered'
      throw new Failure(kind, `${connected.name}: ${describeError(error, server)}`, { cause: error })
    }
    good = connected.host
    return connected
  }
  return {
    createLane: (onConnected) =>
      createLane({
        connect: (attempt) => connect(attempt, onConnected),
        describe: (error) => describeError(error, server),
        statementTimeoutMs: STATEMENT_TIMEOUT_MS,
        isOutdated: ({ host }) => host !== good,
        onRefused: ({ message }) => refusals.tell(message),
        onState: (problem, host) =>
          setState(
            problem === undefined
              ? { kind: 'up', host: host ?? '' }
              : { kind: 'down', reason: problem.message, isConfiguration: problem.kind === 'config' },
          ),
      }),
    state: () => state,
    onState: states.listen,
    onRefused: refusals.listen,
  }
}

interface Listeners<T> {
  readonly tell: (value: T) => void
  readonly listen: (listener: (value: T) => void) => () => void
}

function createListeners<T>(): Listeners<T> {
  const listeners = new Set<(value: T) => void>()
  return {
    tell: (value) => {
      for (const listener of listeners) listener(value)
    },
    listen: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

type LaneListener = ((connected: Connected) => Promise<void>) | undefined

interface Hello {
  readonly version: number
  readonly is_same_secret: boolean
}

/** @throws Failure of kind `config` if this program and the database are not compatible */
export async function checkSchema({ client, name }: Connected, { mark, otherMark }: Seal): Promise<void> {
  const text = 'SELECT version, is_same_secret FROM pagerduty_alert.hello($1, $2)'
  const { rows } = await client.query<Hello>({
    text,
    values: [mark, otherMark],
    query_timeout: STATEMENT_TIMEOUT_MS,
  } as never)
  const [hello] = rows
  if (hello === undefined) throw new Failure('config', `${name}: the tables of the fleet have no version`)
  const { version, is_same_secret: isSameSecret } = hello
  if (version < SCHEMA_VERSION)
    throw new Failure(
      'config',
      `${name}: the tables of the fleet have version ${version}, and this program needs ${SCHEMA_VERSION}; run pagerduty-alert fleet migrate`,
    )
  if (version > SCHEMA_VERSION)
    throw new Failure(
      'config',
      `${name}: the tables of the fleet have version ${version}, and this program knows ${SCHEMA_VERSION}; it is older than the others, update it`,
    )
  if (!isSameSecret)
    throw new Failure(
      'config',
      `${name}: ${mark === null ? 'the other relays have PAGERDUTY_FLEET_SECRET, and this one does not; set theirs here' : 'the other relays have a different PAGERDUTY_FLEET_SECRET; set theirs here'}`,
    )
}
