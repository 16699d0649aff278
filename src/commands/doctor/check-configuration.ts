import { accessSync, constants, statSync } from 'node:fs'
import type { Problem } from '../../config/gather.ts'
import type { Config } from '../../config/load-config.ts'
import { takesChanges, type RoutingKey } from '../../core/routing-key.ts'
import { storesSetAside } from '../../delivery/spool/files.ts'
import { failed, ok, warning, type Finding } from './finding.ts'

/** What can be told of the configuration without asking anybody. */
export function checkConfiguration(config: Config, problems: readonly Problem[]): Finding[] {
  const wrong = problems.map(({ kind, message }) =>
    failed('configuration', kind, { detail: message, advice: 'correct the setting that is named' }),
  )
  const odd = config.warnings.map((message) => warning('configuration', message, 'use https'))
  const isFine = wrong.length + odd.length === 0
  return [
    ...(isFine ? [ok('configuration', 'every setting is valid')] : [...wrong, ...odd]),
    ...checkKeys(config),
    ok('region', `${config.delivery.region}: ${config.delivery.eventsUrl}, ${config.rest.apiUrl}`),
    ...(config.spool === undefined ? [] : checkSpool(config.spool.directory)),
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

/** The user's name for a key and its masked form, which is the name where there is no other. */
function nameOf({ alias, key }: RoutingKey): string {
  return alias === key.masked() ? alias : `${alias} (${key.masked()})`
}

function checkSpool(directory: string): Finding[] {
  const aside = storesSetAside(directory).map((file) =>
    warning(
      'spool',
      `${file} is a damaged spool that was set aside`,
      'recover its events, then remove the file',
    ),
  )
  return [checkDirectory(directory), ...aside]
}

function checkDirectory(directory: string): Finding {
  try {
    if (!statSync(directory).isDirectory()) throw new Error('not a directory')
    accessSync(directory, constants.W_OK | constants.X_OK)
    return ok('spool', 'the directory can be written to')
  } catch {
    return failed('spool', 'config', {
      detail: 'PAGERDUTY_SPOOL names no directory that can be written to',
      advice: 'create it, or mount a volume there, owned by the user that runs this program',
    })
  }
}
