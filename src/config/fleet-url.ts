import { Failure } from '../core/failure.ts'
import { createSecret, type Secret } from '../core/secret.ts'

/** One address of the fleet's PostgreSQL. A `host` that begins with a slash is the directory of a Unix socket. */
export interface FleetHost {
  readonly host: string
  readonly port: number
}

/** Where the fleet's PostgreSQL is, and as whom to connect. */
export interface FleetServer {
  /** Every node; whichever accepts writes is used. */
  readonly hosts: readonly FleetHost[]
  readonly user: string
  readonly password?: Secret
  readonly database: string
  /** Absent if the connection is not encrypted, which only addresses of this machine may be. */
  readonly tls?: FleetTls
}

/** Files for TLS; without a `ca` the same certificates are trusted as for PagerDuty. */
export interface FleetTls {
  readonly caFile?: string
  readonly certificateFile?: string
  readonly keyFile?: string
}

const DEFAULT_PORT = 5432
const MAX_HOSTS = 16
const FORM = /^postgres(?:ql)?:\/\/([^?#]*)(?:\?([^#]*))?$/i
const PARAMETERS: ReadonlySet<string> = new Set(['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'host'])
const EXAMPLE = 'postgres://relay@db-1.example.com,db-2.example.com/pagerduty'

/**
 * Reads an address of PostgreSQL as its own tools write it, with several hosts. What is not given is not taken from `PG…`
 * variables: those may be meant for the deployment's own database.
 * @throws Failure of kind `config` that says what would be accepted; it never repeats the address, which may have a password
 */
export function parseFleetUrl(text: string): FleetServer {
  const [, location = '', query = ''] = FORM.exec(text) ?? refuse(`must be like ${EXAMPLE}`)
  const parameters = new URLSearchParams(query)
  const unknown = [...parameters.keys()].find((name) => !PARAMETERS.has(name))
  if (unknown !== undefined)
    refuse(`its only parameters are ${[...PARAMETERS].join(', ')}; everything else is set on the server`)
  const slash = location.lastIndexOf('/')
  const [authority, path] =
    slash === -1 ? [location, ''] : [location.slice(0, slash), location.slice(slash + 1)]
  const at = authority.lastIndexOf('@')
  const [user = '', password = ''] = credentialsOf(authority.slice(0, Math.max(0, at)))
  const hosts = readHosts(authority.slice(at + 1), parameters.get('host'))
  if (user === '') refuse(`needs a user: ${EXAMPLE}`)
  const tls = readTls(parameters, hosts)
  return {
    hosts,
    user,
    database: decode(path) || user,
    ...(password !== '' && { password: createSecret(password) }),
    ...(tls !== undefined && { tls }),
  }
}

function refuse(reason: string): never {
  throw new Failure('config', reason)
}

function credentialsOf(text: string): string[] {
  const colon = text.indexOf(':')
  return (colon === -1 ? [text] : [text.slice(0, colon), text.slice(colon + 1)]).map(decode)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return refuse('has a % that is not followed by two hexadecimal digits; write % itself as %25')
  }
}

function readHosts(text: string, socket: string | null): FleetHost[] {
  if (text === '' && socket?.startsWith('/') === true) return [{ host: socket, port: DEFAULT_PORT }]
  if (text === '' || socket !== null)
    refuse(`needs one host or several: ${EXAMPLE}; the parameter host is only for the directory of a socket`)
  const hosts = text.split(',').map(readHost)
  if (hosts.length > MAX_HOSTS) refuse(`has more than ${MAX_HOSTS} hosts`)
  return hosts
}

function readHost(text: string): FleetHost {
  const [, inBrackets, plain, port] =
    /^(?:\[([\da-f:.]+)\]|([^:[\]/]+))(?::(\d{1,5}))?$/i.exec(decode(text)) ??
    refuse(`has an invalid host: ${EXAMPLE}`)
  const number = port === undefined ? DEFAULT_PORT : Number(port)
  if (number < 1 || number > 65_535) refuse('has a port that is not between 1 and 65535')
  return { host: inBrackets ?? plain ?? '', port: number }
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\/.*)$/i

/** TLS with full verification, unless every host is on this machine. */
function readTls(parameters: URLSearchParams, hosts: readonly FleetHost[]): FleetTls | undefined {
  const isLocal = hosts.every(({ host }) => LOOPBACK.test(host))
  const isSocket = hosts.every(({ host }) => host.startsWith('/'))
  const mode = parameters.get('sslmode') ?? (isLocal ? 'disable' : 'verify-full')
  if (mode === 'disable' && !isLocal)
    refuse(
      'sslmode=disable is only for addresses of this machine: the connection carries events and a password',
    )
  if (mode !== 'disable' && mode !== 'verify-full')
    refuse('sslmode must be verify-full (the default), or disable for addresses of this machine')
  if (mode === 'disable' || isSocket) return undefined
  const [caFile, certificateFile, keyFile] = ['sslrootcert', 'sslcert', 'sslkey'].map(
    (name) => parameters.get(name) ?? undefined,
  )
  if ((certificateFile === undefined) !== (keyFile === undefined))
    refuse('sslcert and sslkey must be set together')
  return {
    ...(caFile !== undefined && caFile !== 'system' && { caFile }),
    ...(certificateFile !== undefined && { certificateFile }),
    ...(keyFile !== undefined && { keyFile }),
  }
}
