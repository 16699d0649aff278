import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { finished } from 'node:stream/promises'
import { getContainerRuntimeClient } from 'testcontainers'
import { startSimulator, type Simulator } from '../../tools/simulator/simulator.ts'
import { baseImageArgs, docker } from '../support/docker.ts'
import { CODESHIP_PRO, KEY } from '../support/program.ts'

/** By this name containers reach the machine that runs them. */
export const HOST = 'host.docker.internal'

/** What the image is built with for the tests, as a release would. */
export const BUILD_ARGS = {
  REVISION: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
  CREATED: '2026-03-01T12:00:00Z',
  SOURCE: 'https://git.example.com/acme/pagerduty-alert',
} as const

/** Builds the repository's image and returns its id. Docker's cache makes every build after the first one short. */
export async function buildImage(target?: 'shell'): Promise<string> {
  const args = Object.entries(BUILD_ARGS).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`])
  const stage = target === undefined ? [] : ['--target', target]
  // Without a name of its own it would go when an image that is based on it is removed.
  const tag = ['--tag', `pagerduty-alert:test-${target ?? 'image'}`]
  return (
    await docker(['build', '--quiet', ...stage, ...tag, ...(await baseImageArgs()), ...args, '.'])
  ).trim()
}

/** A PagerDuty that containers can reach. */
export async function startReachableSimulator(): Promise<Simulator> {
  return await startSimulator({ host: '0.0.0.0', knownKeys: [KEY] })
}

/** The environment of a build on Codeship Pro whose events go to a simulator. */
export function environmentFor(simulator: Simulator): Record<string, string> {
  return { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: urlFor(simulator) }
}

/** A simulator's address as containers see it. */
export function urlFor({ port }: Simulator): string {
  return `http://${HOST}:${port}`
}

export interface ContainerOptions {
  /** The arguments after the image's name in `docker run`. Default: its CMD. */
  readonly command?: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** `uid` or `uid:gid`. Default: the image's own. */
  readonly user?: string
  /** Mounts, `host:container:ro`. */
  readonly binds?: readonly string[]
  /** Without the right to write anywhere, to gain rights, or to use any that root has. */
  readonly confined?: boolean
  /** A seccomp profile instead of Docker's own. */
  readonly seccomp?: object
  /** A port of the container that is reached from this machine, see {@link RunningContainer.url}. */
  readonly port?: number
}

/** A container that runs. */
export interface RunningContainer {
  readonly kill: (signal: NodeJS.Signals) => Promise<void>
  /** `docker stop`: SIGTERM, and SIGKILL after some seconds; by default more than Docker's 10, for a busy machine. */
  readonly stop: (graceS?: number) => Promise<void>
  /** Resolves when the container has printed a text on stdout. */
  readonly printed: (awaited: string) => Promise<void>
  /** Everything that Docker reports about it, as JSON. */
  readonly inspect: () => Promise<string>
  /** Where its `port` is reached. */
  readonly url: () => Promise<string>
}

/** What a container did. */
export interface ContainerExit {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a container to its end and removes it.
 * @param whileRunning is called once it has started
 */
export async function runContainer(
  image: string,
  options: ContainerOptions,
  whileRunning?: (container: RunningContainer) => Promise<void>,
): Promise<ContainerExit> {
  const { dockerode } = (await getContainerRuntimeClient()).container
  const container = await dockerode.createContainer({ Image: image, ...settingsOf(options) })
  try {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    const [out, err] = [collect(stdout), collect(stderr)]
    const stream = await container.attach({ stream: true, stdout: true, stderr: true })
    dockerode.modem.demuxStream(stream, stdout, stderr)
    stream.once('end', () => {
      stdout.end()
      stderr.end()
    })
    await container.start()
    await whileRunning?.({
      kill: async (signal) => void (await container.kill({ signal })),
      stop: async (graceS = 60) => void (await container.stop({ t: graceS })),
      printed: async (awaited) => await out.contains(awaited),
      inspect: async () => JSON.stringify(await container.inspect()),
      url: async () => {
        const { Ports } = (await container.inspect()).NetworkSettings
        return `http://127.0.0.1:${Ports[`${options.port}/tcp`]?.[0]?.HostPort}`
      },
    })
    const [ended] = await Promise.all([container.wait(), finished(stdout), finished(stderr)])
    const { StatusCode: exitCode } = ended as { StatusCode: number }
    return { exitCode, stdout: out.text(), stderr: err.text() }
  } finally {
    await container.remove({ force: true, v: true })
  }
}

/** All that a stream brings, and a way to wait for a part of it. */
function collect(stream: PassThrough): { text: () => string; contains: (awaited: string) => Promise<void> } {
  let collected = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => (collected += chunk))
  const contains = async (awaited: string): Promise<void> => {
    while (!collected.includes(awaited)) await once(stream, 'data')
  }
  return { text: () => collected, contains }
}

function settingsOf(options: ContainerOptions): object {
  const { command, entrypoint, env = {}, user, binds = [], confined = false, seccomp, port } = options
  const confinement = { ReadonlyRootfs: true, CapDrop: ['ALL'] }
  const security = [
    ...(confined ? ['no-new-privileges'] : []),
    ...(seccomp === undefined ? [] : [`seccomp=${JSON.stringify(seccomp)}`]),
  ]
  return {
    ...(command === undefined ? {} : { Cmd: command }),
    ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
    ...(user === undefined ? {} : { User: user }),
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...(port === undefined ? {} : { ExposedPorts: { [`${port}/tcp`]: {} } }),
    HostConfig: {
      Binds: binds,
      ExtraHosts: [`${HOST}:host-gateway`],
      // A free port is used if none is named.
      ...(port === undefined ? {} : { PortBindings: { [`${port}/tcp`]: [{ HostIp: '127.0.0.1' }] } }),
      SecurityOpt: security,
      ...(confined ? confinement : {}),
    },
  }
}

/** Evaluates an expression with the image's own Node, since there is nothing else inside to look around with. */
export async function evaluateInside(image: string, expression: string): Promise<unknown> {
  const { stdout, stderr } = await runContainer(image, {
    entrypoint: ['/usr/local/bin/node', '-p', `JSON.stringify(${expression})`],
  })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as unknown
}
