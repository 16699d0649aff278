import type { Environment } from '../core/build.ts'
import { Failure } from '../core/failure.ts'
import type { Secret } from '../core/secret.ts'
import { trimValue, type Problem, type RawValue } from './sources.ts'
import { parseBearerToken } from './read-delivery.ts'
import { createReader } from './reader.ts'
import type { SettingName } from './settings.ts'

/** Who may use the relay. */
export interface RelayAccess {
  /** What callers have to present; absent if nothing. */
  readonly token?: Secret
  /** Host names by which callers may address the relay, in lower case, beside those that need no permission. */
  readonly names: ReadonlySet<string>
}

const TOKEN_VARIABLES = ['PAGERDUTY_RELAY_TOKEN', 'PAGERDUTY_RELAY_TOKEN_FILE'] as const

/**
 * Reads who may use the relay. A token that is set to nothing is refused: somebody meant to protect the relay, and the
 * secret is missing in the CI.
 */
export function readRelayAccess(
  values: ReadonlyMap<SettingName, RawValue>,
  env: Environment,
  problems: Problem[],
): RelayAccess {
  const given = TOKEN_VARIABLES.filter((name) => env[name] !== undefined)
  if (given.length > 0 && given.every((name) => trimValue(env[name]) === ''))
    problems.push({ kind: 'config', message: `${given.join(' and ')}: ${TOKEN_BLANK}` })
  const token = createReader(values, []).one('relayToken', parseBearerToken) // what is wrong with it is already reported
  return {
    names: createReader(values, problems).one('relayNames', parseHostNames) ?? new Set(),
    ...(token && { token }),
  }
}

const TOKEN_BLANK =
  'is set but blank, so everybody who reaches the relay could send with its key. Give it a value, or unset it if the ' +
  'relay is to be open'

/** Host names without a port, separated by commas. */
function parseHostNames(text: string): ReadonlySet<string> {
  const names = text.split(',').map((name) => name.trim().toLowerCase().replace(/\.$/, ''))
  if (names.every((name) => /^[\w.-]+$/.test(name))) return new Set(names)
  throw new Failure('usage', 'must be host names without a port, such as relay.example.com,relay.example.net')
}
