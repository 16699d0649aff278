import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MARKERS, MISPLACED_KEY, PROXY_USER } from './markers.ts'

/** Where the campaign's servers and files are. */
export interface Scene {
  /** Directory of the files that hold secrets; the only one that is not searched. */
  readonly secrets: string
  /** A directory of one run's own: what it writes there is searched. */
  readonly own: string
  readonly ports: Readonly<Record<ServerName, number>>
}

/** Servers that are started once for all runs. */
export type ServerName =
  | 'accepting'
  | 'echo400'
  | 'echo401'
  | 'echo503'
  | 'redirect'
  | 'silent'
  | 'tls'
  | 'proxy407'
  | 'proxy503'

/** Something that goes wrong, as the environment that brings it about. */
export interface LeakFailure {
  readonly name: string
  readonly env: (scene: Scene) => Readonly<Record<string, string>>
  /** For `send`, instead of its event. */
  readonly stdin?: string
}

const at = (port: number, scheme = 'http'): Readonly<Record<string, string>> => ({
  PAGERDUTY_EVENTS_URL: `${scheme}://127.0.0.1:${port}`,
  PAGERDUTY_API_URL: `${scheme}://127.0.0.1:${port}`,
})
const CREDENTIALS = `${PROXY_USER}:${encodeURIComponent(MARKERS.proxyPassword)}`
const AFAR = {
  PAGERDUTY_EVENTS_URL: 'https://pagerduty.example:9',
  PAGERDUTY_API_URL: 'https://pagerduty.example:9',
}
const through = (port: number): Readonly<Record<string, string>> => ({
  ...AFAR,
  HTTPS_PROXY: `http://${CREDENTIALS}@127.0.0.1:${port}`,
  http_proxy: `http://${CREDENTIALS}@127.0.0.1:${port}`,
})
const preload = (what: string): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--import=${new URL(`./bugs/${what}.ts`, import.meta.url).href}`,
})
function file(scene: Scene, name: string, text: string): string {
  const path = join(scene.secrets, name)
  writeFileSync(path, text)
  return path
}
/** Both routing keys in one file, under names, instead of in a variable. */
const fromFile = (scene: Scene): Readonly<Record<string, string>> => ({
  PAGERDUTY_ROUTING_KEY: '',
  PAGERDUTY_ROUTING_KEY_FILE: file(
    scene,
    'keys',
    `first=${MARKERS.routingKey}, second=${MARKERS.secondKey}\n`,
  ),
  PAGERDUTY_API_TOKEN: '',
  PAGERDUTY_API_TOKEN_FILE: file(scene, 'token', `"${MARKERS.restToken}"\n`),
})
const relayAt = (port: number): Readonly<Record<string, string>> => ({
  PAGERDUTY_RELAY_URL: `http://127.0.0.1:${port}`,
})

const ANSWERS: readonly LeakFailure[] = [
  { name: 'no failure', env: ({ ports }) => at(ports.accepting) },
  { name: 'a 400 that echoes the request', env: ({ ports }) => at(ports.echo400) },
  {
    name: 'a 401 that echoes the request, with keys from files',
    env: (scene) => ({ ...fromFile(scene), ...at(scene.ports.echo401) }),
  },
  { name: 'a 503 that echoes the request', env: ({ ports }) => at(ports.echo503) },
  { name: 'a redirect to an address that repeats the request', env: ({ ports }) => at(ports.redirect) },
  {
    name: 'a 401 of a relay that echoes the request',
    env: ({ ports }) => ({ ...at(ports.echo401), ...relayAt(ports.echo401) }),
  },
  {
    name: 'a 503 of a relay, kept in the spool',
    env: ({ ports, own }) => ({
      ...at(ports.echo503),
      ...relayAt(ports.echo503),
      PAGERDUTY_SPOOL: join(own, 'spool'),
    }),
  },
  {
    name: 'a 503 kept in the spool, with keys from files',
    env: (scene) => ({
      ...fromFile(scene),
      ...at(scene.ports.echo503),
      PAGERDUTY_SPOOL: join(scene.own, 'spool'),
    }),
  },
  { name: 'no answer', env: ({ ports }) => at(ports.silent) },
]

const CONNECTIONS: readonly LeakFailure[] = [
  { name: 'a refused connection', env: () => at(1) },
  {
    name: 'a host without an address',
    env: () => ({
      HTTPS_PROXY: '',
      PAGERDUTY_EVENTS_URL: 'https://pagerduty.invalid',
      PAGERDUTY_API_URL: 'https://pagerduty.invalid',
    }),
  },
  { name: 'an untrusted certificate', env: ({ ports }) => at(ports.tls, 'https') },
  { name: 'a server without TLS', env: ({ ports }) => at(ports.accepting, 'https') },
  {
    name: 'a proxy that refuses the credentials and repeats them',
    env: ({ ports }) => through(ports.proxy407),
  },
  { name: 'a proxy that is down and repeats the credentials', env: ({ ports }) => through(ports.proxy503) },
  { name: 'a proxy that cannot be reached', env: () => through(1) },
  {
    name: 'a proxy without TLS although TLS is configured',
    env: ({ ports }) => ({
      ...AFAR,
      HTTPS_PROXY: `https://${CREDENTIALS}@127.0.0.1:${ports.accepting}`,
    }),
  },
  {
    name: 'an address of a proxy that cannot be read',
    env: () => ({
      ...AFAR,
      HTTP_PROXY: `http://${CREDENTIALS}@:port`,
      HTTPS_PROXY: `socks5://${CREDENTIALS}@proxy`,
    }),
  },
]

const MISTAKES: readonly LeakFailure[] = [
  {
    name: 'a key of a wrong shape',
    env: () => ({
      PAGERDUTY_ROUTING_KEY: `${MARKERS.routingKey}!`,
      PAGERDUTY_API_TOKEN: `${MARKERS.restToken} x`,
    }),
  },
  { name: 'a REST token as a routing key', env: () => ({ PAGERDUTY_ROUTING_KEY: MARKERS.restToken }) },
  { name: 'a routing key as a REST token', env: () => ({ PAGERDUTY_API_TOKEN: MARKERS.secondKey }) },
  {
    name: 'a key twice under one name',
    env: () => ({ PAGERDUTY_ROUTING_KEY: `a=${MARKERS.routingKey},a=${MARKERS.secondKey}` }),
  },
  {
    name: 'a key in a variable and in a file',
    env: (scene) => ({ ...fromFile(scene), PAGERDUTY_ROUTING_KEY: MARKERS.routingKey }),
  },
  {
    name: 'a key in the place of a path',
    env: () => ({ PAGERDUTY_ROUTING_KEY: '', PAGERDUTY_ROUTING_KEY_FILE: `/tmp/${MARKERS.routingKey}` }),
  },
  {
    name: 'a blank file',
    env: (scene) => ({ PAGERDUTY_ROUTING_KEY: '', PAGERDUTY_ROUTING_KEY_FILE: file(scene, 'blank', ' \n') }),
  },
  {
    name: 'a directory as a file',
    env: (scene) => ({ PAGERDUTY_API_TOKEN: '', PAGERDUTY_API_TOKEN_FILE: scene.secrets }),
  },
  {
    name: 'details that are not JSON and contain the key',
    env: ({ ports }) => ({ ...at(ports.echo400), PAGERDUTY_DETAILS: `{"key":"${MISPLACED_KEY}"` }),
    stdin: `{"routing_key":"${MISPLACED_KEY}"`,
  },
  {
    name: 'a key in every other setting',
    env: ({ ports }) => ({
      ...at(ports.accepting),
      ...Object.fromEntries(
        [
          'SEVERITY',
          'TIMESTAMP',
          'LINKS',
          'IMAGES',
          'REGION',
          'DEADLINE',
          'TIMEOUT',
          'SERVICE_ID',
          'FROM',
          'STATUS',
          'AS',
          'RESOLVE',
          'CLIENT_URL',
          'SPOOL_LIMIT',
        ].map((name) => [`PAGERDUTY_${name}`, `${MISPLACED_KEY} !`]),
      ),
    }),
  },
  {
    name: 'a key in the addresses',
    env: () => ({
      PAGERDUTY_EVENTS_URL: `http://x:${MISPLACED_KEY}@127.0.0.1:1`,
      PAGERDUTY_API_URL: `http://127.0.0.1:1/?token=${MISPLACED_KEY}`,
      PAGERDUTY_RELAY_URL: `${MISPLACED_KEY}://`,
    }),
  },
  {
    name: 'a spool that cannot be',
    env: ({ ports }) => ({ ...at(ports.echo503), PAGERDUTY_SPOOL: '/dev/null/spool' }),
  },
]

const BUGS: readonly LeakFailure[] = ['thrown', 'thrown-later', 'rejected-later'].flatMap((what) => [
  { name: `a bug: ${what}`, env: (scene: Scene) => ({ ...through(scene.ports.proxy503), ...preload(what) }) },
  {
    name: `a bug: ${what}, with keys from files`,
    env: (scene: Scene) => ({ ...through(scene.ports.proxy503), ...fromFile(scene), ...preload(what) }),
  },
])

/** What goes wrong, and which part of the commands meets it: all, or every second. */
export const LEAK_FAILURES: readonly (LeakFailure & { readonly everyCommand: 1 | 2 })[] = [
  ...ANSWERS.map((failure) => ({ ...failure, everyCommand: 1 as const })),
  ...[...CONNECTIONS, ...MISTAKES, ...BUGS].map((failure) => ({ ...failure, everyCommand: 2 as const })),
]
