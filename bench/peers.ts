import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BUILD, environment, READY_EVENT } from './build.ts'
import type { Variant } from './measure.ts'
import { script } from './processes.ts'
import { CERTIFICATE_FILE } from './servers.ts'

/** Another program that sends an event. */
export interface Peer extends Variant {
  /** What it needs on the path, and a file that must exist. */
  readonly needs: readonly string[]
  readonly file?: string
}

/** Two events with curl, by what they are compared as. */
export const TWO_CURLS = {
  inTurn: 'curl; curl (two events)',
  sideBySide: 'curl & curl & wait (two events)',
} as const

/** What peers are given. */
export interface PeerSetup {
  /** As many root certificates as usual and the stub's certificate, for peers that read the system's. */
  readonly roots: string
  /** Where `installPeers` has put its own. */
  readonly packages: string
}

const CLI = 'pagerduty-cli@0.1.18'
const INSTALL_MS = 120_000

/** Installs the peer that is too large to be a dependency, if the registry can be reached. */
export function installPeers(folder: string): void {
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', CLI]
  spawnSync('npm', args, { stdio: 'ignore', timeout: INSTALL_MS })
}

/** The peers for one path to the stub, in the order of the table. */
export function peersFor(baseUrl: string, { roots, packages }: PeerSetup): Peer[] {
  const isTls = baseUrl.startsWith('https:')
  const url = `${baseUrl}/v2/enqueue`
  const env = environment({
    BENCH_URL: url,
    BENCH_BODY: READY_EVENT,
    SSL_CERT_FILE: roots,
    ...(isTls && { NODE_EXTRA_CA_CERTS: CERTIFICATE_FILE }),
  })
  const shell = (name: string, file: string, ...needs: string[]): Peer => ({
    name,
    argv: ['bash', script(`peers/${file}`)],
    env,
    needs: ['bash', ...needs],
  })
  const twoCurls = (name: string, line: string): Peer => ({
    name,
    argv: ['bash', '-c', line, script('peers/curl.sh')],
    env,
    needs: ['bash', 'curl'],
  })
  const node = (name: string, file: string, ...args: string[]): Peer => {
    const path = file.startsWith('/') ? file : script(`peers/${file}`)
    return { name, argv: [process.execPath, path, ...args], env, needs: [], file: path }
  }
  const cli = join(packages, 'node_modules/pagerduty-cli/bin/run')
  const words = ['event', 'alert', '--routing_key', BUILD.PAGERDUTY_TOKEN, '--endpoint', url]
  const fields = ['--summary', 'Deployed acme/shop', '--source', 'acme/shop', '--severity', 'info']
  return [
    shell('bash + curl', 'curl.sh', 'curl'),
    twoCurls(TWO_CURLS.inTurn, 'bash "$0"; . "$0"'),
    twoCurls(TWO_CURLS.sideBySide, '(. "$0") & (. "$0") & wait'),
    shell('bash + curl + jq', 'curl-jq.sh', 'curl', 'jq'),
    { name: 'python3 urllib', argv: [python(), script('peers/urllib_client.py')], env, needs: [python()] },
    ...(isTls
      ? [
          node('node:https by hand', 'https-client.mjs'),
          node('@pagerduty/pdjs', 'pdjs-client.mjs'), // it supports only https
        ]
      : []),
    node('Node’s built-in fetch', 'fetch-client.mjs'),
    node('pagerduty-cli', cli, ...words, ...fields),
  ]
}

/** Whether a peer can run here. */
export function isPresent({ needs, file, env }: Peer): boolean {
  return needs.every((program) => isOnPath(program, env)) && (file === undefined || existsSync(file))
}

/** Python itself, if `python3` on the path is only a script that looks for it. */
function python(): string {
  const { stdout } = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' })
  return stdout?.trim() || 'python3'
}

function isOnPath(program: string, env: Readonly<Record<string, string>>): boolean {
  const words = ['-c', 'command -v "$1"', 'sh', program]
  return spawnSync('sh', words, { env: { ...env }, stdio: 'ignore' }).status === 0
}
