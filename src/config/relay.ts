import type { Environment } from '../core/build.ts'
import { Failure } from '../core/failure.ts'
import { createSecret, type Secret } from '../core/secret.ts'
import { checkTemplate } from '../core/summary.ts'
import { DELIVERY_SETTINGS } from './delivery.ts'
import { parseBearerToken, parseChoice, parseCount } from './parsers.ts'
import {
  createReader,
  inGroup,
  trimValue,
  valuesOf,
  type Problem,
  type RawValues,
  type Reader,
} from './setting.ts'

/** Where the relay listens, and under which names. The token that it requires is `relayToken`, which its callers send. */
export const RELAY_SETTINGS = inGroup('relay', {
  relayHost: {
    option: 'host',
    variable: 'PAGERDUTY_RELAY_HOST',
    value: 'ADDRESS',
    parse: (text) => text.replace(/^\[(.+)\]$/, '$1'),
    default: '127.0.0.1',
    help: 'address to listen on; the image sets 0.0.0.0',
  },
  relayPort: {
    option: 'port',
    variable: 'PAGERDUTY_RELAY_PORT',
    value: 'PORT',
    parse: parsePort,
    default: '8080',
    help: 'port to listen on; 0 takes a free one and prints the address',
  },
  relayNames: {
    variable: 'PAGERDUTY_RELAY_NAMES',
    value: 'NAME[,NAME…]',
    parse: parseHostNames,
    help: 'host names with dots that callers may use for a relay without a token; addresses, localhost and names without dots always work',
  },
  hookSecret: {
    variable: 'PAGERDUTY_HOOK_SECRET',
    value: 'SECRET',
    secret: true,
    parse: createSecret,
    help: 'secret that signs the webhooks of Codeship, GitHub, GitLab, Argo CD and Flux; without it they are off',
  },
  relayUi: {
    variable: 'PAGERDUTY_RELAY_UI',
    value: 'auto|on|off',
    parse: parseChoice<'auto' | 'on' | 'off'>(['auto', 'on', 'off']),
    default: 'auto',
    help: 'the relay’s web page: auto, on or off; auto shows it if a token is set or the address is loopback',
  },
  relayViewToken: {
    variable: 'PAGERDUTY_RELAY_VIEW_TOKEN',
    value: 'TOKEN',
    secret: true,
    parse: parseBearerToken,
    help: 'read-only token for the page and its routes: it cannot send, retry or discard',
  },
  rollbackHint: {
    variable: 'PAGERDUTY_ROLLBACK_HINT',
    value: 'TEMPLATE',
    parse: checkTemplate,
    help: 'how to roll back, shown on the page next to a failed deployment; {{commit}} and the other names of --summary refer to the last good one',
  },
})

type RelayReader = Reader<keyof typeof RELAY_SETTINGS>

/** Where the relay listens. */
export interface RelayAddress {
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
}

/** Reads where the relay listens. */
export function readRelayAddress(reader: RelayReader): RelayAddress {
  const read = valuesOf(reader, RELAY_SETTINGS)
  return { host: read('relayHost'), port: read('relayPort') }
}

/** Who may use the relay, and what its page says. */
export interface RelayAccess {
  /** The token that callers have to present; absent if there is none. */
  readonly token?: Secret
  /** The token that may look and not act; absent if there is none. */
  readonly viewToken?: Secret
  /** Whether there is a web page; with `auto` that depends on who can reach the relay. */
  readonly ui: 'auto' | 'on' | 'off'
  /** Host names, in lower case, that callers may use besides those that always work. */
  readonly names: ReadonlySet<string>
  /** What webhooks are signed with; without it there are none. */
  readonly hookSecret?: Secret
  /** How to roll back, in the user's words: a template that `checkTemplate` has checked. */
  readonly rollbackHint?: string
}

const TOKEN_VARIABLES = ['PAGERDUTY_RELAY_TOKEN', 'PAGERDUTY_RELAY_TOKEN_FILE'] as const

/**
 * Reads who may use the relay. A token that is set but blank is refused: somebody meant to protect the relay, and the
 * secret is missing in the CI.
 */
export function readRelayAccess(
  values: RawValues<keyof typeof RELAY_SETTINGS | 'relayToken'>,
  env: Environment,
  problems: Problem[],
): RelayAccess {
  const given = TOKEN_VARIABLES.filter((name) => env[name] !== undefined)
  if (given.length > 0 && given.every((name) => trimValue(env[name]) === ''))
    problems.push({ kind: 'config', message: `${given.join(' and ')}: ${TOKEN_BLANK}` })
  const token = createReader(values, []).get('relayToken', DELIVERY_SETTINGS.relayToken) // its problems are reported already
  const read = valuesOf(createReader(values, problems), RELAY_SETTINGS)
  const hookSecret = read('hookSecret')
  const viewToken = read('relayViewToken')
  const rollbackHint = read('rollbackHint')
  if (viewToken !== undefined && token === undefined)
    problems.push({ kind: 'config', message: `PAGERDUTY_RELAY_VIEW_TOKEN: ${VIEW_ALONE}` })
  if (viewToken !== undefined && viewToken.reveal() === token?.reveal())
    problems.push({ kind: 'config', message: `PAGERDUTY_RELAY_VIEW_TOKEN: ${VIEW_SAME}` })
  return {
    names: read('relayNames') ?? new Set(),
    ui: read('relayUi'),
    ...(viewToken && { viewToken }),
    ...(token && { token }),
    ...(hookSecret && { hookSecret }),
    ...(rollbackHint !== undefined && { rollbackHint }),
  }
}

const TOKEN_BLANK =
  'is set but blank, so anyone who can reach the relay could send with its key. Give it a value, or unset it if the ' +
  'relay is meant to be open'

const VIEW_ALONE =
  'needs PAGERDUTY_RELAY_TOKEN too: without it, anyone who can reach the relay can do everything'
const VIEW_SAME = 'is the same as PAGERDUTY_RELAY_TOKEN, so it would allow sending; give it another value'

/**
 * A port. It is undefined for the value that Kubernetes and Docker links give this variable if a service is called
 * `pagerduty-relay`: `tcp://10.96.12.3:8080`.
 */
function parsePort(text: string): number | undefined {
  return /^(?:tcp|udp|sctp):\/\//.test(text) ? undefined : parseCount(65_535)(text)
}

/** Host names without a port, separated by commas. */
function parseHostNames(text: string): ReadonlySet<string> {
  const names = text.split(',').map((name) => name.trim().toLowerCase().replace(/\.$/, ''))
  if (names.every((name) => /^[\w.-]+$/.test(name))) return new Set(names)
  throw new Failure('usage', 'must be host names without a port, such as relay.example.com,relay.example.net')
}
