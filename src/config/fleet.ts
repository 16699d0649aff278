import { Failure } from '../core/failure.ts'
import { createSecret, type Secret } from '../core/secret.ts'
import { parseFleetUrl, type FleetServer } from './fleet-url.ts'
import { parseCount, parseDurationMs } from './parsers.ts'
import { inGroup, valuesOf, type Reader } from './setting.ts'

/** Counting more would take relays too long. */
const MAX_LIMIT = 100_000_000

/** The durable queue that several relays share. */
export const FLEET_SETTINGS = inGroup('delivery', {
  fleet: {
    variable: 'PAGERDUTY_FLEET',
    value: 'URL',
    secret: true,
    parse: parseFleetUrl,
    help: 'PostgreSQL database that several relays share as one queue: postgres://USER@HOST[,HOST…]/DATABASE; serve also needs PAGERDUTY_SPOOL',
  },
  fleetPassword: {
    variable: 'PAGERDUTY_FLEET_PASSWORD',
    value: 'PASSWORD',
    secret: true,
    parse: createSecret,
    help: 'password of the user in PAGERDUTY_FLEET, if the address does not contain it',
  },
  fleetSecret: {
    variable: 'PAGERDUTY_FLEET_SECRET',
    value: 'SECRET',
    secret: true,
    parse: parseFleetSecret,
    help: 'encrypts events and callers’ keys in the database; the same for all relays, at least 32 characters',
  },
  fleetOtherSecret: {
    variable: 'PAGERDUTY_FLEET_OTHER_SECRET',
    value: 'SECRET',
    secret: true,
    parse: parseFleetSecret,
    help: 'also decrypts with this secret: the next or the previous PAGERDUTY_FLEET_SECRET, while it is being changed',
  },
  fleetLimit: {
    variable: 'PAGERDUTY_FLEET_LIMIT',
    value: 'N',
    parse: parseCount(MAX_LIMIT, 1),
    default: '1000000',
    help: 'roughly how many undelivered events of all relays the database holds; a relay that counts more accepts none',
  },
  fleetAlone: {
    variable: 'PAGERDUTY_FLEET_ALONE',
    value: 'TIME|never',
    parse: parseAlone,
    default: '60s',
    help: 'how long the database may be unreachable before a relay delivers the events that only it has',
  },
})

/** Shortest secret, in characters: 128 bits as hexadecimal digits. */
const MIN_SECRET_CHARS = 32

function parseFleetSecret(text: string): Secret {
  if (text.length < MIN_SECRET_CHARS)
    throw new Failure(
      'config',
      `must have at least ${MIN_SECRET_CHARS} characters; openssl rand -hex 32 makes one`,
    )
  return createSecret(text)
}

function parseAlone(text: string): number {
  return text.toLowerCase() === 'never' ? Number.POSITIVE_INFINITY : parseDurationMs(text)
}

/** The queue that this relay shares with others. */
export interface FleetConfig {
  readonly server: FleetServer
  /** Encrypts what is stored; absent if it is stored as it is. */
  readonly secret?: Secret
  /** Only decrypts: the next secret, or the last one. */
  readonly otherSecret?: Secret
  /** How long the server may be unreachable before this relay delivers alone; Infinity for never. */
  readonly aloneAfterMs: number
  /** About the most undelivered events that the server keeps. */
  readonly limit: number
}

type FleetReader = Reader<keyof typeof FLEET_SETTINGS | 'spool'>

/** Reads the settings of the fleet; undefined if there is none. */
export function readFleetConfig(reader: FleetReader): FleetConfig | undefined {
  const read = valuesOf(reader, FLEET_SETTINGS)
  const server = read('fleet')
  const password = read('fleetPassword')
  const secret = read('fleetSecret')
  const otherSecret = read('fleetOtherSecret')
  const aloneAfterMs = read('fleetAlone')
  const limit = read('fleetLimit')
  if (server === undefined) return undefined
  if (server.password !== undefined && password !== undefined)
    reader.report({
      kind: 'config',
      message: 'PAGERDUTY_FLEET and PAGERDUTY_FLEET_PASSWORD both have a password; remove one of them',
    })
  if (otherSecret !== undefined && (secret === undefined || secret.reveal() === otherSecret.reveal()))
    reader.report({
      kind: 'config',
      message:
        'PAGERDUTY_FLEET_OTHER_SECRET is only for changing the secret: set PAGERDUTY_FLEET_SECRET, too, to a different value',
    })
  return {
    server: { ...server, ...(password !== undefined && { password }) },
    ...(secret !== undefined && { secret }),
    ...(otherSecret !== undefined && { otherSecret }),
    aloneAfterMs,
    limit,
  }
}

/** The secrets among these settings. */
export function fleetSecrets(fleet: FleetConfig | undefined): Secret[] {
  return [fleet?.server.password, fleet?.secret, fleet?.otherSecret].filter((secret) => secret !== undefined)
}
