import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Secrets of the campaign against leaks, each nobody's and found nowhere else. */
export const MARKERS = {
  routingKey: 'a1b2c3d4e5f60718293a4b5c6d7e8f90',
  secondKey: 'b0b1b2b3b4b5b6b7b8b9babbbcbdbebf',
  restToken: 'y_Leaks-campaign+777',
  relayToken: 'relay~token/with+all.signs=42',
  viewToken: 'view~token/looks+only=44',
  hookSecret: 'hooks~own/secret+with.signs=43',
  proxyPassword: 'pr0xy&"pass/wörd%21',
} as const

/** Those of a fleet, which only its relays and commands know. */
export const FLEET_MARKERS = {
  fleetPassword: 'db~pass/word+with.signs=45',
  fleetSecret: 'fleet~secret/of+thirty-two.signs=46',
} as const

/** A well-formed key in the wrong place: in an option, an address, a file's name. */
export const MISPLACED_KEY = 'c9c8c7c6c5c4c3c2c1c0cfcecdcccbca'

/** The user name that goes with the proxy's password. */
export const PROXY_USER = 'deployer'

const KNOWN: readonly string[] = [...Object.values(MARKERS), MISPLACED_KEY]

/** Every form in which a secret may be written, with the secret's name. */
const FORMS: readonly (readonly [name: string, form: string])[] = [
  ...Object.entries({ ...MARKERS, ...FLEET_MARKERS, misplacedKey: MISPLACED_KEY }),
  ['proxyCredentials', `${PROXY_USER}:${MARKERS.proxyPassword}`] as const,
].flatMap(([name, value]) => {
  const base64 = Buffer.from(value).toString('base64').replace(/=+$/, '')
  const forms = [
    value,
    value.toUpperCase(),
    encodeURIComponent(value),
    encodeURI(value),
    JSON.stringify(value).slice(1, -1),
    value.replaceAll('&', '&amp;').replaceAll('"', '&quot;'),
    Buffer.from(value).toString('latin1'),
    Buffer.from(value).toString('hex'),
    base64,
    base64.replaceAll('+', '-').replaceAll('/', '_'),
  ]
  return [...new Set(forms)].map((form) => [name, form] as const)
})

/** The names of the secrets that a text holds in any form. */
export function findMarkers(text: string): string[] {
  return [...new Set(FORMS.filter(([, form]) => text.includes(form)).map(([name]) => name))]
}

/** The secrets that the files under a directory hold, or are named after, each as `PATH: NAME`. */
export function findMarkersInFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name)
    const text = entry.isFile() ? readFileSync(path, 'utf8') : ''
    return findMarkers(`${entry.name}\n${text}`).map((name) => `${path}: ${name}`)
  })
}

/** Reads the arguments of all processes again and again, if there is `/proc`. */
export function watchArguments(everyMs: number): () => { found: string[]; looks: number } {
  const found = new Set<string>()
  let looks = 0
  const look = (): void => {
    looks += 1
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const words = argumentsOf(pid)
      if (KNOWN.some((marker) => words.includes(marker))) found.add(words.replaceAll('\0', ' '))
    }
  }
  const timer = existsSync('/proc/self/cmdline') ? setInterval(look, everyMs) : undefined
  return () => {
    clearInterval(timer)
    return { found: [...found], looks }
  }
}

function argumentsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // it has ended
  }
}
