import type { Problem } from '../../config/setting.ts'
import { counterMissing, type Config } from '../../config/load.ts'
import { takesChanges, type RoutingKey } from '../../core/routing-key.ts'
import { failed, ok, warning, type Finding } from './finding.ts'

/** Checks that need only the configuration. */
export function checkConfiguration(config: Config, problems: readonly Problem[]): Finding[] {
  const uncounted = counterMissing(config)
  const missing = uncounted === undefined ? [] : [{ kind: 'config' as const, message: uncounted }]
  const wrong = [...problems, ...missing].map(({ kind, message }) =>
    failed('configuration', kind, { detail: message, advice: 'correct this setting' }),
  )
  const odd = config.warnings.map((message) =>
    warning('configuration', message, 'correct or unset this setting'),
  )
  const isFine = wrong.length + odd.length === 0
  return [
    ...(isFine ? [ok('configuration', 'every setting is valid')] : [...wrong, ...odd]),
    ...checkKeys(config),
    ok('region', `${config.delivery.region}: ${config.delivery.eventsUrl}, ${config.rest.apiUrl}`),
  ]
}

function checkKeys({ delivery, rest }: Config): Finding[] {
  if (delivery.relay !== undefined) return [ok('key', 'the relay holds it')]
  if (delivery.keys.length === 0 && rest.token !== undefined && rest.service !== undefined)
    return [ok('key', 'looked up with the REST API token')]
  return delivery.keys.map((routingKey) =>
    takesChanges(routingKey.key)
      ? ok('key', `${nameOf(routingKey)} has the shape of an integration key`)
      : warning(
          'key',
          `${nameOf(routingKey)} is a key of Event Orchestration, which takes no change events`,
          'use the key of a service’s own Events API v2 integration, or --as alert',
        ),
  )
}

/** The user's name for a key, and its masked form; only the latter if it has no name. */
function nameOf({ alias, key }: RoutingKey): string {
  return alias === key.masked() ? alias : `${alias} (${key.masked()})`
}
