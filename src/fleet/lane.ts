import type pg from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../core/failure.ts'
import { destroy, type Connected } from './connect.ts'
import { isConnectionError, isWorthRepeating, UNCONFIRMED } from './server-errors.ts'

/** A connection that reconnects, and runs its statements one after the other. */
export interface Lane {
  /**
   * Runs a statement. While there is no connection it waits for the attempt to connect that is being made, if any.
   * @throws Failure of kind `undelivered`; or `config` if an operator has to change something
   */
  run<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** Runs several statements in one transaction. */
  transact<T>(work: (run: Lane['run']) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface LaneOptions {
  /** Makes a connection that is ready for use. */
  readonly connect: (attempt: number) => Promise<Connected>
  readonly describe: (error: unknown) => string
  readonly statementTimeoutMs: number
  /** Whether another node is the primary by now. */
  readonly isOutdated: (connected: Connected) => boolean
  /** Called when the server answers a statement with an error, though the connection works. */
  readonly onRefused: (problem: Failure) => void
  /** Called with a Failure when a connection cannot be made or is lost, and with undefined when there is one. */
  readonly onState: (problem: Failure | undefined, name: string | undefined) => void
}

/** Shortest and longest wait after all nodes have failed. */
const FIRST_WAIT_MS = 200
const MAX_WAIT_MS = 2000

/** A lane that connects when it is first used. */
export function createLane(options: LaneOptions): Lane {
  const link = createLink(options)
  const turn = createTurns()
  const query = createQuery(link, options)
  const once = async <T>(work: (connected: Connected) => Promise<T>): Promise<T> => {
    const connected = await link.get()
    try {
      return await work(connected)
    } catch (error) {
      if (error instanceof Failure || isWorthRepeating(error)) throw error
      const failure = failureOf(error, connected, options)
      if (!isConnectionError(error)) options.onRefused(failure)
      throw failure
    }
  }
  const repeated = async <T>(work: (connected: Connected) => Promise<T>): Promise<T> => {
    try {
      return await once(work)
    } catch (error) {
      if (!isWorthRepeating(error)) throw error
      return await once(work).catch((again: unknown) => {
        throw again instanceof Failure
          ? again
          : new Failure('undelivered', options.describe(again), { cause: again })
      })
    }
  }
  return {
    run: (text, values = []) => turn(() => repeated((connected) => query(connected, text, values))),
    transact: (work) =>
      turn(() =>
        repeated(async (connected) => {
          await query(connected, 'BEGIN', [])
          try {
            const result = await work((text, values = []) => query(connected, text, values))
            await query(connected, 'COMMIT', [])
            return result
          } catch (error) {
            await query(connected, 'ROLLBACK', []).catch(() => undefined)
            throw error
          }
        }),
      ),
    close: async () => {
      await turn(() => Promise.resolve())
      link.close()
    },
  }
}

type Query = <Row extends pg.QueryResultRow>(
  connected: Connected,
  text: string,
  values: readonly unknown[],
) => Promise<Row[]>

/** A function that runs a statement on a connection, and drops the connection if it is broken. */
function createQuery(link: Link, options: LaneOptions): Query {
  return async <Row extends pg.QueryResultRow>(
    connected: Connected,
    text: string,
    values: readonly unknown[],
  ) => {
    const config = { text, values: [...values], query_timeout: options.statementTimeoutMs }
    try {
      const { rows } = await connected.client.query<Row>(config)
      if (connected.isUnsafe()) throw new Error(UNCONFIRMED)
      return rows
    } catch (error) {
      if (isConnectionError(error)) link.lose(connected, failureOf(error, connected, options))
      throw error
    }
  }
}

function failureOf(error: unknown, { name }: Connected, { describe }: LaneOptions): Failure {
  return new Failure('undelivered', `${name}: ${describe(error)}`, { cause: error })
}

/** Runs one work after the other: a connection has one statement at a time. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const result = last.then(work)
    last = result.catch(() => undefined)
    return result
  }
}

/** A connection that is opened again after it was lost. */
interface Link {
  /** The connection; rejects if the latest attempt to connect failed and the next has not begun. */
  get(): Promise<Connected>
  lose(connected: Connected, problem: Failure): void
  close(): void
}

function createLink({ connect, isOutdated, onState }: LaneOptions): Link {
  const closing = new AbortController()
  let current: Promise<Connected> | undefined
  const keepTrying = async (): Promise<void> => {
    for (let attempt = 1; !closing.signal.aborted; attempt++) {
      const round = connect(attempt)
      round.catch(() => undefined)
      current = round
      try {
        const connected = await round
        if (closing.signal.aborted) return destroy(connected.client)
        connected.client.once('end', () =>
          lose(connected, new Failure('undelivered', `${connected.name}: the server closed the connection`)),
        )
        onState(undefined, connected.name)
        return
      } catch (error) {
        onState(error instanceof Failure ? error : new Failure('undelivered', String(error)), undefined)
      }
      const waitMs = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1))
      await sleep(waitMs * (0.5 + Math.random() / 2), undefined, {
        signal: closing.signal,
        ref: false,
      }).catch(() => undefined)
    }
  }
  let lost: Connected | undefined
  const replace = (connected: Connected): void => {
    lost = connected
    destroy(connected.client)
    void keepTrying()
  }
  const lose = (connected: Connected, problem: Failure): void => {
    if (lost === connected || closing.signal.aborted) return
    onState(problem, undefined)
    replace(connected)
  }
  return {
    get: async () => {
      if (closing.signal.aborted) throw new Failure('undelivered', 'the connection to the fleet is closed')
      if (current === undefined) void keepTrying()
      const connected = await current
      if (connected !== undefined && lost !== connected && isOutdated(connected)) replace(connected)
      return await (current ?? Promise.reject(new Failure('undelivered', 'not connected')))
    },
    lose,
    close: () => {
      closing.abort()
      void current?.then(
        ({ client }) => destroy(client),
        () => undefined,
      )
    },
  }
}
