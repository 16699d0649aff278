import type { FleetConfig } from '../../config/fleet.ts'
import type { Durability, ExaminedNode } from '../../fleet/examine.ts'
import type { RoutingKey } from '../../core/routing-key.ts'
import { oneLine } from '../../core/mask-secrets.ts'
import { failed, ok, warning, type Finding } from './finding.ts'

export interface FleetSettings {
  readonly fleet: FleetConfig
  /** What a relay with these settings would send with. */
  readonly keys: readonly RoutingKey[]
  readonly hasSpool: boolean
}

/**
 * Checks that a relay could use the database of PAGERDUTY_FLEET, what an acknowledgement of it means, and whether the relays that
 * use it fit together.
 */
export async function checkFleet({ fleet, keys, hasSpool }: FleetSettings): Promise<Finding[]> {
  const { examineFleet } = await import('../../fleet/examine.ts')
  const { nodes, problem, durability, relays, conflicts = [] } = await examineFleet(fleet, keys)
  return [
    ...nodes.map(nodeFinding),
    ...(nodes.some(({ kind }) => kind === 'primary' || kind === 'misconfigured')
      ? []
      : [
          failed('fleet', 'undelivered', {
            detail: 'no node accepts writes',
            advice: 'start or promote one; until then relays keep events in their spools',
          }),
        ]),
    ...(problem === undefined ? [] : [wrong(problem.message)]),
    ...(durability === undefined ? [] : durabilityFindings(durability)),
    ...secretFinding(fleet),
    ...(relays === undefined ? [] : [ok('fleet', describeRelays(relays))]),
    ...conflicts.map(conflictFinding),
    ...(hasSpool
      ? []
      : [
          warning(
            'fleet',
            'PAGERDUTY_SPOOL is not set: serve refuses to start, and other commands keep nothing while the database is away',
            'give each relay a directory of its own; a command that runs once in a build needs none',
          ),
        ]),
  ]
}

function nodeFinding({ name, kind, reason = '' }: ExaminedNode): Finding {
  if (kind === 'primary') return ok('fleet', `${name} accepts writes`)
  if (kind === 'standby') return ok('fleet', `${name} is a standby`)
  if (kind === 'misconfigured') return wrong(`${name}: ${reason}`)
  return warning('fleet', `${name}: ${reason}`, 'relays use the other nodes, if one of them accepts writes')
}

/** A message about a setting, which may end with what to do. */
function wrong(message: string): Finding {
  const [detail = '', ...advice] = message.split('; ')
  return failed('fleet', 'config', { detail, advice: advice.join('; ') || CORRECT })
}

const CORRECT = 'correct PAGERDUTY_FLEET or PAGERDUTY_FLEET_PASSWORD'

function durabilityFindings({ standbys, synchronous_commit: commit, fsync }: Durability): Finding[] {
  const isSynced = fsync === 'on' && (commit === 'on' || commit === 'remote_apply')
  if (!isSynced)
    return [
      warning(
        'fleet',
        `fsync is ${fsync} and synchronous_commit is ${commit}: an acknowledged event can be lost in a crash`,
        'set both to on',
      ),
    ]
  return [
    standbys === ''
      ? warning(
          'fleet',
          'synchronous_standby_names is empty: an acknowledged event is on one disk until a standby has received it',
          "set it to 'ANY 1 (…)' with the names of your standbys",
        )
      : ok('fleet', `an acknowledged event is synced by the primary and by ${standbys}`),
  ]
}

const MAX_NAMED = 20

function describeRelays(relays: readonly string[]): string {
  if (relays.length === 0) return 'no relay uses it now'
  const more = relays.length > MAX_NAMED ? ', …' : ''
  const names = relays.slice(0, MAX_NAMED).map(oneLine).join(', ')
  return `${relays.length === 1 ? 'one relay uses' : `${relays.length} relays use`} it now: ${names}${more}`
}

function conflictFinding(conflict: string): Finding {
  const [detail = '', ...advice] = conflict.split('; ')
  return warning('fleet', detail, advice.join('; '))
}

function secretFinding({ secret }: FleetConfig): Finding[] {
  return [
    secret === undefined
      ? warning(
          'fleet',
          'PAGERDUTY_FLEET_SECRET is not set: events are readable in the database, those with a key of their own stay in the relay’s spool, and nobody can compare the relays’ PagerDuty keys',
          'set the same secret for every relay; openssl rand -hex 32 makes one',
        )
      : ok('fleet', 'events and callers’ keys are encrypted in the database'),
  ]
}
