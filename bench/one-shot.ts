import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { measure, type Cost, type Variant } from './measure.ts'
import { CERTIFICATE_FILE, type Servers } from './servers.ts'

const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
const peer = (file: string): string => fileURLToPath(new URL(`peers/${file}`, import.meta.url))
/** Where Debian and most others keep the roots that curl and Python read. */
const SYSTEM_ROOTS = '/etc/ssl/certs/ca-certificates.crt'

/** The build whose event is sent; the key is nobody's. */
const BUILD = {
  CI_NAME: 'codeship',
  CI_BRANCH: 'master',
  CI_REPO_NAME: 'acme/shop',
  CI_COMMIT_ID: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
  CI_COMMIT_MESSAGE: 'Fix the checkout',
  CI_COMMITTER_NAME: 'Jane Doe',
  PAGERDUTY_TOKEN: '0123456789abcdef0123456789abcdef',
}

/** What was measured for one kind of path, the floor first, and which peers this machine lacks. */
export interface Section {
  readonly title: string
  readonly costs: readonly Cost[]
  readonly missing: readonly string[]
}

/** One-shot commands by what lies between them and PagerDuty. */
export interface OneShotSections {
  readonly idle: Section
  readonly http: Section
  readonly https: Section
  readonly far: Section
}

/** Times one event as a whole process: nothing sent, over loopback, and over a path as long as to another region. */
export function measureOneShots(servers: Servers, rounds: number): OneShotSections {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  // A bundle of the usual size for everybody: reading the roots is a good part of a TLS client's start.
  const roots = join(folder, 'roots.pem')
  writeFileSync(roots, readFileSync(SYSTEM_ROOTS, 'utf8') + readFileSync(CERTIFICATE_FILE, 'utf8'))
  const setup = { roots, cache: join(folder, 'cache') }
  try {
    return {
      idle: section('Nothing sent', [floor(), ...withoutNetwork(setup)], rounds),
      http: section('One event over http, loopback', [floor(), ...senders(servers.httpUrl, setup)], rounds),
      https: section(
        'One event over https, loopback',
        [floor(), ...senders(servers.httpsUrl, setup)],
        rounds,
      ),
      far: section(
        'One event over https, 50 ms round trip',
        [floor(), ...senders(servers.farUrl, setup)],
        rounds,
      ),
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface Setup {
  readonly roots: string
  readonly cache: string
}

function section(title: string, variants: readonly Variant[], rounds: number): Section {
  const present = variants.filter(isPresent)
  const missing = variants.filter((variant) => !isPresent(variant)).map(({ name }) => name)
  return { title, costs: measure(present, rounds), missing }
}

/** Node that does nothing: what no program on Node can undercut. */
function floor(): Variant {
  return { name: 'node -e 0', argv: [process.execPath, '-e', '0'], env: environment() }
}

function withoutNetwork({ cache }: Setup): Variant[] {
  const env = environment({ NODE_COMPILE_CACHE: cache })
  const ours = (name: string, ...args: string[]): Variant => ({
    name,
    argv: [process.execPath, BIN, ...args],
    env,
  })
  return [
    ours('pagerduty-alert --version', '--version'),
    ours('pagerduty-alert --help', '--help'),
    { ...ours('pagerduty-alert, a refusal', 'success', '--severity', 'P1'), status: 64 },
    ours('pagerduty-alert success --dry-run', 'success', '--dry-run'),
  ]
}

function senders(baseUrl: string, { roots, cache }: Setup): Variant[] {
  const isTls = baseUrl.startsWith('https:')
  const trust = isTls ? { NODE_EXTRA_CA_CERTS: CERTIFICATE_FILE } : {}
  const ours = environment({ NODE_COMPILE_CACHE: cache, PAGERDUTY_EVENTS_URL: baseUrl, ...trust })
  const payload = { summary: 'Deployed acme/shop', source: 'acme/shop', severity: 'info' }
  const body = {
    routing_key: BUILD.PAGERDUTY_TOKEN,
    event_action: 'trigger',
    payload,
  }
  const theirs = environment({
    BENCH_URL: `${baseUrl}/v2/enqueue`,
    BENCH_BODY: JSON.stringify(body),
    SSL_CERT_FILE: roots,
    ...trust,
  })
  const node = (file: string): Variant['argv'] => [process.execPath, peer(file)]
  return [
    { name: 'pagerduty-alert failure', argv: [process.execPath, BIN, 'failure', '--quiet'], env: ours },
    {
      name: 'pagerduty-alert success (two events)',
      argv: [process.execPath, BIN, 'success', '--quiet'],
      env: ours,
    },
    { name: 'bash + curl', argv: ['bash', peer('curl.sh')], env: theirs },
    { name: 'bash + curl + jq', argv: ['bash', peer('curl-jq.sh')], env: theirs },
    { name: 'python3 urllib', argv: [python(), peer('urllib_client.py')], env: theirs },
    ...(isTls
      ? [
          { name: 'node:https by hand', argv: node('https-client.mjs'), env: theirs },
          { name: '@pagerduty/pdjs', argv: node('pdjs-client.mjs'), env: theirs },
        ]
      : []),
    { name: 'Node’s built-in fetch', argv: node('fetch-client.mjs'), env: theirs },
  ]
}

/** Python itself, where `python3` on the path is a script that looks for it. */
function python(): string {
  const { stdout } = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' })
  return stdout.trim() || 'python3'
}

function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', ...BUILD, ...more }
}

/** Whether a peer can run here; what is missing is named as not measured. */
function isPresent({ name, argv: [program], env }: Variant): boolean {
  if (name.includes('pdjs')) return canResolve('@pagerduty/pdjs')
  if (name.includes('jq') && !isOnPath('jq', env)) return false
  if (name.includes('curl') && !isOnPath('curl', env)) return false
  return isOnPath(program, env)
}

function canResolve(specifier: string): boolean {
  try {
    import.meta.resolve(specifier)
    return true
  } catch {
    return false
  }
}

function isOnPath(program: string, env: Readonly<Record<string, string>>): boolean {
  return (
    spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program], { env: { ...env }, stdio: 'ignore' }).status ===
    0
  )
}
