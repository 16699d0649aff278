import { execFileSync, spawnSync } from 'node:child_process'
import { measure, type Cost } from './measure.ts'

/** The image's size, and what a fresh container costs until its event is accepted. */
export interface ContainerFigures {
  readonly unpackedMb: number
  readonly gzipMb: number
  /** A container that sends an event, and one that does the same with curl. */
  readonly costs: readonly Cost[]
}

/**
 * Measures the two images that `docker build` makes. The containers share this machine's network, so that all reach
 * the stub on loopback.
 * @returns undefined where there is no Docker or no such image
 */
export function measureContainer(httpUrl: string, rounds: number): ContainerFigures | undefined {
  const [image, shellImage] = ['pagerduty-alert', 'pagerduty-alert:shell']
  if (![image, shellImage].every(exists)) return undefined
  const variables = Object.entries({
    PAGERDUTY_EVENTS_URL: httpUrl,
    PAGERDUTY_TOKEN: '0123456789abcdef0123456789abcdef',
    CI_REPO_NAME: 'acme/shop',
    CI_BRANCH: 'master',
  }).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const body = '{"routing_key":"0123456789abcdef0123456789abcdef","event_action":"trigger"}'
  const curl = ['curl', '-fsS', '-o', '/dev/null', '-d', body, `${httpUrl}/v2/enqueue`]
  const docker = (name: string, ...args: string[]) => ({
    name,
    argv: ['docker', 'run', '--rm', '--network', 'host', ...args] as const,
    env: { PATH: process.env['PATH'] ?? '' },
  })
  const costs = measure(
    [
      docker('curl container', shellImage, ...curl),
      docker('pagerduty-alert container', ...variables, image, 'failure', '--quiet'),
    ],
    rounds,
  )
  return { ...sizes(image), costs: costs.map(({ name, ms }) => ({ name, ms })) }
}

function exists(image: string): boolean {
  return spawnSync('docker', ['image', 'inspect', image], { stdio: 'ignore' }).status === 0
}

function sizes(image: string): { unpackedMb: number; gzipMb: number } {
  const unpacked = execFileSync('docker', ['image', 'inspect', '--format', '{{ .Size }}', image], {
    encoding: 'utf8',
  })
  const packed = execFileSync('sh', ['-c', 'docker save "$1" | gzip -6 | wc -c', 'sh', image], {
    encoding: 'utf8',
  })
  return { unpackedMb: Number(unpacked) / 1e6, gzipMb: Number(packed) / 1e6 }
}
