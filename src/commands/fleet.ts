import type { Session } from '../cli/session.ts'
import type { FleetConfig } from '../config/fleet.ts'
import { Failure } from '../core/failure.ts'

/**
 * `fleet migrate`: creates or updates the tables that relays share. `fleet export DIR`: moves what they have not delivered
 * into a spool.
 * @returns the exit status
 * @throws Failure that says what is missing
 */
export async function fleet(session: Session, [action, directory]: readonly string[]): Promise<number> {
  if (action !== 'migrate' && action !== 'export')
    throw new Failure('usage', 'fleet needs an action: migrate or export')
  if (action === 'migrate' && directory !== undefined)
    throw new Failure('usage', 'fleet migrate takes no argument')
  if (action === 'export' && directory === undefined)
    throw new Failure('usage', 'fleet export needs a directory for the spool')
  const { fleet: config } = session.config
  if (config === undefined)
    throw new Failure(
      'config',
      'no fleet is set: put the owner’s address of the database into PAGERDUTY_FLEET',
    )
  return directory === undefined ? await migrate(session, config) : await exportTo(session, config, directory)
}

async function migrate({ io, log, json }: Session, config: FleetConfig): Promise<number> {
  const { migrateFleet } = await import('../fleet/migrate.ts')
  const { host, from, to } = await migrateFleet(config)
  if (json) io.writeOut(`${JSON.stringify({ command: 'fleet', action: 'migrate', host, from, to })}\n`)
  log.info(describe(host, from, to))
  return 0
}

async function exportTo({ io, log, json }: Session, config: FleetConfig, directory: string): Promise<number> {
  const [{ composeSpool }, { exportFleet }] = await Promise.all([
    import('../compose.ts'),
    import('../fleet/export.ts'),
  ])
  // All of it has to fit: the limit is for what relays accept.
  const limit = Number.MAX_SAFE_INTEGER
  const spool = await composeSpool({ directory, limit, onWarning: (message) => log.warn(message) })
  try {
    const exported = await exportFleet(config, spool)
    if (json) io.writeOut(`${JSON.stringify({ command: 'fleet', action: 'export', exported })}\n`)
    log.info(`${exported} events were moved into the spool; serve or flush delivers them`)
    return 0
  } finally {
    await spool.close()
  }
}

function describe(host: string, from: number | undefined, to: number): string {
  if (from === undefined) return `the fleet’s tables were created on ${host}, version ${to}`
  return from === to
    ? `the fleet’s tables on ${host} already have version ${to}; the functions were updated`
    : `the fleet’s tables on ${host} were updated from version ${from} to ${to}`
}
