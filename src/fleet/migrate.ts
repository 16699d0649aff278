import type pg from 'pg'
import type { FleetConfig } from '../config/fleet.ts'
import { Failure } from '../core/failure.ts'
import { connectToPrimary, destroy } from './connect.ts'
import { codeOf, describeError } from './server-errors.ts'
import { SCHEMA_VERSION } from './server.ts'
import { SQL_FILES, sqlFiles } from './sql-files.ts'

/** What a migration did. */
export interface Migrated {
  readonly host: string
  /** The version that was there; undefined if there was none. */
  readonly from: number | undefined
  readonly to: number
}

/** One migration at a time; the letters PDAM. */
const LOCK = 1346650189
const CONNECT_TIMEOUT_MS = 10_000
/** PostgreSQL's code for missing rights. */
const FORBIDDEN = '42501'
const NOT_OWNER =
  'this user may not change the tables; put the address of the database’s owner into PAGERDUTY_FLEET (42501)'
const GROUPS = ['pagerduty_relay', 'pagerduty_viewer'] as const

/**
 * Creates or updates the tables and functions, in one transaction. The user must be their owner, or may create schemas.
 * @throws Failure that says what to do
 */
export async function migrateFleet({ server }: FleetConfig): Promise<Migrated> {
  const connected = await connectToPrimary({
    server,
    first: undefined,
    timeoutMs: CONNECT_TIMEOUT_MS,
    applicationName: 'pagerduty-alert migrate',
  })
  const { client, name } = connected
  try {
    await client.query('BEGIN')
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
    const from = await versionOf(client)
    if (from !== undefined && from > SCHEMA_VERSION)
      throw new Failure(
        'config',
        `${name}: the tables of the fleet have version ${from}, and this program knows ${SCHEMA_VERSION}; update it`,
      )
    await createGroups(client, name)
    await runFiles(client, from === undefined)
    await client.query('COMMIT')
    return { host: name, from, to: SCHEMA_VERSION }
  } catch (error) {
    if (error instanceof Failure) throw error
    const words = codeOf(error) === FORBIDDEN ? NOT_OWNER : describeError(error, server)
    throw new Failure('config', `${name}: ${words}`, { cause: error })
  } finally {
    destroy(client)
  }
}

async function versionOf(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ is_there: boolean }>(
    "SELECT to_regclass('pagerduty_alert.meta') IS NOT NULL AS is_there",
  )
  if (rows[0]?.is_there !== true) return undefined
  const meta = await client.query<{ version: number }>('SELECT version FROM pagerduty_alert.meta')
  return meta.rows[0]?.version
}

/** @throws Failure if they are missing and this user may not create roles */
async function createGroups(client: pg.Client, name: string): Promise<void> {
  const { rows } = await client.query<{ rolname: string }>(
    'SELECT rolname FROM pg_roles WHERE rolname = ANY ($1)',
    [GROUPS],
  )
  const missing = GROUPS.filter((group) => rows.every(({ rolname }) => rolname !== group))
  try {
    for (const group of missing) await client.query(`CREATE ROLE ${group} NOLOGIN`)
  } catch (error) {
    const statements = missing.map((group) => `CREATE ROLE ${group};`).join(' ')
    throw new Failure(
      'config',
      `${name}: this user may not create roles; have an administrator run ${statements} and try again`,
      { cause: error },
    )
  }
}

async function runFiles(client: pg.Client, isNew: boolean): Promise<void> {
  const files = sqlFiles()
  for (const file of SQL_FILES) {
    if (file === 'tables' && !isNew) continue
    await client.query('SET LOCAL search_path = pagerduty_alert, pg_catalog, pg_temp')
    await client.query(files[file])
  }
  await client.query('UPDATE pagerduty_alert.meta SET version = $1', [SCHEMA_VERSION])
}
