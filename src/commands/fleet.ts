import type { Session } from '../cli/session.ts'
import { Failure } from '../core/failure.ts'

/**
 * `fleet migrate`: makes or updates what relays share in PostgreSQL.
 * @returns the exit status
 * @throws Failure that says what is missing
 */
export async function fleet(
  { io, config, log, json }: Session,
  [action]: readonly string[],
): Promise<number> {
  if (action !== 'migrate') throw new Failure('usage', 'fleet needs an action: migrate')
  if (config.fleet === undefined)
    throw new Failure(
      'config',
      'no fleet is set: put the owner’s address of the database into PAGERDUTY_FLEET',
    )
  const { composeMigration } = await import('../compose.ts')
  const { host, from, to } = await composeMigration(config.fleet)
  if (json) io.writeOut(`${JSON.stringify({ command: 'fleet', action, host, from, to })}\n`)
  log.info(describe(host, from, to))
  return 0
}

function describe(host: string, from: number | undefined, to: number): string {
  if (from === undefined) return `the fleet’s tables were created on ${host}, version ${to}`
  return from === to
    ? `the fleet’s tables on ${host} already have version ${to}; the functions were updated`
    : `the fleet’s tables on ${host} were updated from version ${from} to ${to}`
}
