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
 * Connects to the first node that accepts writes. libpq's `target_session_attrs` would be the usual way; `pg` has neither that
 * nor several hosts.
 * @throws Failure that says for each node why not: kind `config` if an operator has to change something
 */
export async function connectToPrimary({ server, first, ...options }: ConnectOptions): Promise<Connected> {
  const hosts = first === undefined ? server.hosts : [first, ...server.hosts.filter((host) => host !== first)]
  const problems: string[] = []
  let kind: 'config' | 'undelivered' = 'undelivered'
  for (const host of hosts) {
    const name = `${host.host}:${host.port}`
    const client = createClient(server, host, options)
    try {
      await client.connect()
      if (await takesWrites(client, options.timeoutMs)) return { client, host, name }
      problems.push(`${name}: ${READ_ONLY}`)
    } catch (error) {
      problems.push(`${name}: ${describeError(error, server)}`)
      if (isConfigurationError(error)) kind = 'config'
    }
    destroy(client)
  }
  throw new Failure(kind, problems.join('; '))
}

/** Ends a connection at once, without a word to a server that may not listen. */
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
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  })
  client.setTypeParser(INT8, Number)
  client.setTypeParser(INT8_ARRAY as never, parseIds) // its type lists only some
  client.on('error', () => undefined) // what is lost shows in the statements
  return client
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

async function takesWrites(client: pg.Client, timeoutMs: number): Promise<boolean> {
  const text = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS is_read_only"
  const { rows } = await client.query<{ is_read_only: boolean }>({
    text,
    query_timeout: timeoutMs,
  } as pg.QueryConfig)
  return rows[0]?.is_read_only === false
}
