import { execFileSync, spawnSync } from 'node:child_process'
import { BUILD, READY_EVENT } from './build.ts'
import { measure, type Cost } from './measure.ts'
import type { Bench } from './section.ts'

/** The image's size, and what a fresh container costs until its event is accepted. */
export interface ContainerFigures {
  readonly unpackedMb: number
  readonly gzipMb: number
  /** A container that sends an event, and one that does the same with curl. */
  readonly costs: readonly Cost[]
}

/** The containers' names in the page. */
export const CONTAINERS = { curl: 'curl container', ours: 'pagerduty-alert container' } as const

const SAVE_MS = 60_000
const [IMAGE, SHELL_IMAGE] = ['pagerduty-alert:latest', 'pagerduty-alert:shell']

/**
 * Measures the two images that `docker build` makes. The containers share this machine's network, so that all reach
 * the stub on loopback.
 * @returns undefined where there is no Docker or no such image
 */
export function measureContainer({ servers }: Bench): ContainerFigures | undefined {
  if (![IMAGE, SHELL_IMAGE].every(isImage)) return undefined
  const { CI_NAME, CI_REPO_NAME, CI_BRANCH, PAGERDUTY_TOKEN } = BUILD
  const build = { CI_NAME, CI_REPO_NAME, CI_BRANCH, PAGERDUTY_TOKEN, PAGERDUTY_EVENTS_URL: servers.httpUrl }
  const variables = Object.entries(build).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const curl = ['curl', '-fsS', '-o', '/dev/null', '-d', READY_EVENT, `${servers.httpUrl}/v2/enqueue`]
  const docker = (name: string, ...args: string[]) => ({
    name,
    argv: ['docker', 'run', '--rm', '--network', 'host', ...args] as const,
    env: { PATH: process.env['PATH'] ?? '' },
  })
  const variants = [
    docker(CONTAINERS.curl, SHELL_IMAGE, ...curl),
    docker(CONTAINERS.ours, ...variables, IMAGE, 'failure', '--quiet'),
  ]
  // What GNU time would see is the client of Docker.
  const costs = measure(variants, { rounds: 15, budgetMs: 30_000 }).map(({ name, times }) => ({
    name,
    times,
  }))
  return { ...sizes(IMAGE), costs }
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
