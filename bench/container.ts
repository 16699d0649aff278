import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BUILD, READY_EVENT } from './build.ts'
import { measure, type Cost } from './measure.ts'
import type { Bench } from './section.ts'
import { CERTIFICATE_FILE, writeRoots } from './servers.ts'

/** The image's size, and what a fresh container costs until its event is accepted. */
export interface ContainerFigures {
  readonly unpackedMb: number
  readonly gzipMb: number
  /** The layers from below, as they are pulled. */
  readonly layers: readonly Layer[]
  /** A container that sends an event, and one that does the same with curl. */
  readonly costs: readonly Cost[]
}

/** A layer of the image. */
export interface Layer {
  readonly name: string
  readonly rawMb: number
  readonly gzipMb: number
  /** With zstd, level 3; absent if it is not installed. */
  readonly zstdMb?: number
}

/** The layers' names in the page, from below. */
export const LAYERS = ['Node and its libraries', 'packages', 'the program'] as const

/** The containers' names in the page. */
export const CONTAINERS = { curl: 'curl container', ours: 'pagerduty-alert container' } as const

const SAVE_MS = 60_000
const [IMAGE, SHELL_IMAGE] = ['pagerduty-alert:latest', 'pagerduty-alert:shell']

const DOCKER_RUN = ['docker', 'run', '--rm', '--network', 'host'] as const
const CERTIFICATE = `${CERTIFICATE_FILE}:/certificate.pem:ro`
const TRUST = ['--env', 'NODE_EXTRA_CA_CERTS=/certificate.pem'] as const

/**
 * Measures the two images that `docker build` makes. The containers share this machine's network, so that all of them reach
 * the stub on loopback.
 * @returns undefined if there is no Docker or no such image
 */
export function measureContainer({ servers, folder }: Bench): ContainerFigures | undefined {
  if (![IMAGE, SHELL_IMAGE].every(isImage)) return undefined
  const { CI_NAME, CI_REPO_NAME, CI_BRANCH, PAGERDUTY_TOKEN } = BUILD
  const build = { CI_NAME, CI_REPO_NAME, CI_BRANCH, PAGERDUTY_TOKEN, PAGERDUTY_EVENTS_URL: servers.httpsUrl }
  const variables = Object.entries(build).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const roots = join(folder, 'roots.pem')
  writeRoots(roots)
  const curl = ['curl', '-fsS', '--cacert', '/roots.pem', '-o', '/dev/null', '-d', READY_EVENT]
  const docker = (name: string, ...args: string[]) => ({
    name,
    argv: [...DOCKER_RUN, '--volume', `${roots}:/roots.pem:ro`, '--volume', CERTIFICATE, ...args] as const,
    env: { PATH: process.env['PATH'] ?? '' },
  })
  const variants = [
    docker(CONTAINERS.curl, SHELL_IMAGE, ...curl, `${servers.httpsUrl}/v2/enqueue`),
    docker(CONTAINERS.ours, ...variables, ...TRUST, IMAGE, 'failure', '--quiet'),
  ]
  // GNU time would measure Docker's client.
  const costs = measure(variants, { rounds: 15, budgetMs: 30_000 }).map(({ name, times }) => ({
    name,
    times,
  }))
  return { ...sizes(IMAGE), layers: layersOf(IMAGE, folder), costs }
}

function isImage(image: string): boolean {
  return spawnSync('docker', ['image', 'inspect', image], { stdio: 'ignore' }).status === 0
}

function sizes(image: string): { unpackedMb: number; gzipMb: number } {
  const unpacked = execFileSync('docker', ['image', 'inspect', '--format', '{{ .Size }}', image], {
    encoding: 'utf8',
  })
  const packed = execFileSync('sh', ['-c', 'docker save "$1" | gzip -6 | wc -c', 'sh', image], {
    encoding: 'utf8',
    timeout: SAVE_MS,
  })
  return { unpackedMb: Number(unpacked) / 1e6, gzipMb: Number(packed) / 1e6 }
}

/** The compressed sizes of the layers. */
function layersOf(image: string, folder: string): Layer[] {
  execFileSync('sh', ['-c', 'docker save "$1" | tar -xC "$2"', 'sh', image, folder], { timeout: SAVE_MS })
  const [saved] = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as { Layers: string[] }[]
  return (saved?.Layers ?? []).map((path, index) => {
    const file = join(folder, path)
    const zstdMb = packedMb('zstd -3', file)
    return {
      name: LAYERS[index] ?? path,
      rawMb: statSync(file).size / 1e6,
      gzipMb: packedMb('gzip -6', file),
      ...(zstdMb > 0 && { zstdMb }),
    }
  })
}

/** The size of a file after a program has packed it; 0 if there is no such program. */
function packedMb(program: string, file: string): number {
  const line = `${program} <"$1" | wc -c`
  const { stdout } = spawnSync('sh', ['-c', line, 'sh', file], { encoding: 'utf8', timeout: SAVE_MS })
  return Number(stdout) / 1e6
}
