import pg from 'pg'
import { readFileSync } from 'node:fs'
import type { FleetHost, FleetServer, FleetTls } from '../config/fleet-url.ts'
import { Failure } from '../core/failure.ts'
import { fileErrorReason } from '../core/file-error.ts'
import { TLS_OPTIONS } from '../delivery/tls-options.ts'
import { describeError, isConfigurationError, READ_ONLY } from './server-errors.ts'

/** A connection to the node that accepts writes. */
export interface Connected {
  readonly client: pg.Client
  readonly host: FleetHost
  /** `host:port`, for messages. */
  readonly name: string
  /** Whether a commit may be on this node alone, because somebody canceled its wait for a standby. */
  readonly isUnsafe: () => boolean
}

export interface ConnectOptions {
  readonly server: FleetServer
  /** The node to try first: the one that worked last. */
  readonly first: FleetHost | undefined
  /** Time limit of each node: one that accepts and never answers must not hide the others. */
  readonly timeoutMs: number
  readonly applicationName: string
}

/**
 * Connects to the first node that accepts writes. A node whose commits need a standby, but that has none connected, is the last
 * choice: it was cut off, and another one may have been promoted. libpq's `target_session_attrs` would be the usual
 * way to choose; `pg` has neither that nor several hosts.
 * @throws Failure that says for each node why not: kind `config` if an operator has to change something
 */
export async function connectToPrimary({ server, first, ...options }: ConnectOptions): Promise<Connected> {
  const hosts = first === undefined ? server.hosts : [first, ...server.hosts.filter((host) => host !== first)]
  const problems: string[] = []
  let kind: 'config' | 'undelivered' = 'undelivered'
  let unreplicated: Connected | undefined
  for (const host of hosts) {
    const name = `${host.host}:${host.port}`
    const client = createClient(server, host, options)
    const connected = { client, host, name, isUnsafe: watchCommits(client) }
    try {
      await client.connect()
      const standing = await standingOf(client, options.timeoutMs)
      if (standing === 'primary') {
        if (unreplicated !== undefined) destroy(unreplicated.client)
        return connected
      }
      if (standing === 'unreplicated' && unreplicated === undefined) {
        unreplicated = connected
        continue
      }
      problems.push(`${name}: ${READ_ONLY}`)
    } catch (error) {
      problems.push(`${name}: ${describeError(error, server)}`)
      if (isConfigurationError(error)) kind = 'config'
    }
    destroy(client)
  }
  if (unreplicated !== undefined) return unreplicated
  throw new Failure(kind, problems.join('; '))
}

/** Ends a connection at once, without telling a server that may no longer answer. */
export function destroy(client: pg.Client): void {
  client.on('error', () => undefined)
  ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
}

function createClient(
  { user, password, database, tls }: FleetServer,
  { host, port }: FleetHost,
  { timeoutMs, applicationName }: Pick<ConnectOptions, 'timeoutMs' | 'applicationName'>,
): pg.Client {
  const client = new pg.Client({
    host,
    port,
    user,
    // A function, so that `pg` looks neither for PGPASSWORD nor for a password file.
    password: () => password?.reveal() ?? '',
    database,
    ssl: tls === undefined ? false : tlsOptions(tls),
    connectionTimeoutMillis: timeoutMs,
    application_name: applicationName,
    sslnegotiation: 'postgres',
    client_encoding: 'utf8',
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  })
  ignoreEnvironment(client)
  client.setTypeParser(INT8, Number)
  client.setTypeParser(INT8_ARRAY as never, parseIds) // its type lists only some
  client.on('error', () => undefined) // what is lost shows in the statements
  return client
}

/**
 * `PG…` variables may be meant for the deployment's own database. Those that the configuration does not override are read by `pg`
 * (lib/connection-parameters.js): PGOPTIONS and PGREPLICATION.
 */
function ignoreEnvironment(client: pg.Client): void {
  const { connectionParameters } = client as unknown as { connectionParameters: Record<string, unknown> }
  Object.assign(connectionParameters, { options: undefined, replication: undefined })
}

/** PostgreSQL's ids of the types bigint and bigint[] (`pg_type.dat`). No number here exceeds what a double can hold. */
const INT8 = 20
const INT8_ARRAY = 1016

function parseIds(text: string): number[] {
  return text === '{}' ? [] : text.slice(1, -1).split(',').map(Number)
}

function tlsOptions({ caFile, certificateFile, keyFile }: FleetTls): NonNullable<pg.ClientConfig['ssl']> {
  return {
    ...TLS_OPTIONS,
    ...(caFile !== undefined && { ca: readPem('sslrootcert', caFile) }),
    ...(certificateFile !== undefined && { cert: readPem('sslcert', certificateFile) }),
    ...(keyFile !== undefined && { key: readPem('sslkey', keyFile) }),
  }
}

/** Reads the file again for each connection, so that a renewed certificate takes effect. */
function readPem(parameter: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Failure(
      'config',
      `PAGERDUTY_FLEET: the file of ${parameter} cannot be read: ${fileErrorReason(error)}`,
    )
  }
}

/** What a node is: `unreplicated` if its commits wait for a standby, and none is connected. */
type Standing = 'primary' | 'unreplicated' | 'standby'

async function standingOf(client: pg.Client, timeoutMs: number): Promise<Standing> {
  // Without the rights to see more, there is still a row for each standby.
  const text = `SELECT CASE
    WHEN pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' THEN 'standby'
    WHEN current_setting('synchronous_standby_names') <> '' AND NOT EXISTS (SELECT FROM pg_stat_replication) THEN 'unreplicated'
    ELSE 'primary' END AS standing`
  const { rows } = await client.query<{ standing: Standing }>({
    text,
    query_timeout: timeoutMs,
  } as pg.QueryConfig)
  return rows[0]?.standing ?? 'standby'
}

/**
 * Watches for the warning with which a node reports success although no standby has confirmed the commit: the statement was
 * canceled while it waited (https://www.postgresql.org/docs/15/warm-standby.html#SYNCHRONOUS-REPLICATION). Its words depend on the
 * server's language, so it is known by the function that raises it.
 */
function watchCommits(client: pg.Client): () => boolean {
  let isUnsafe = false
  client.on('notice', ({ routine }) => (isUnsafe ||= routine === 'SyncRepWaitForLSN'))
  return () => isUnsafe
}
