import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { getContainerRuntimeClient } from 'testcontainers'
import { binds, serviceEnvironment, type Project } from './project.ts'
import type { Service } from './services.ts'
import { startOrder } from './start-order.ts'

type Docker = Awaited<ReturnType<typeof getContainerRuntimeClient>>['container']['dockerode']
type Container = ReturnType<Docker['getContainer']>

/** The name by which containers reach the machine that runs them. */
export const HOST = 'host.docker.internal'

/** Hosts that containers cannot reach, so that nobody is paged, whatever a file under test says. */
const PAGERDUTY_HOSTS = [
  'events.pagerduty.com',
  'events.eu.pagerduty.com',
  'api.pagerduty.com',
  'api.eu.pagerduty.com',
]

/** Docker's own grace period for a container that is stopped, in seconds. */
const STOP_GRACE_S = 10
const HEALTH_INTERVAL_MS = 250
/** How long Codeship waits for a service to become healthy (documentation, "Services", health checks). */
const HEALTH_TIMEOUT_MS = 60 * 60 * 1000
/** The exit status that shells use for a command that cannot be started. */
const CANNOT_START = 127
/** The exit status of a step whose dependency does not become ready. */
const UNHEALTHY = 1

/** A command to run in a service's container. */
export interface Job {
  readonly project: Project
  readonly service: Service
  readonly command: readonly string[]
  /** The image of each service. */
  readonly images: ReadonlyMap<string, string>
  /** A prefix for the names of named volumes. */
  readonly volumePrefix: string
  /** Variables for every container, which override its service's environment. */
  readonly variables: Readonly<Record<string, string>>
  /** Called with every line of every container as it is written, and the name of its service. */
  readonly print: (line: string, service: string) => void
  readonly signal?: AbortSignal | undefined
}

/** How a command ended. */
export interface JobEnd {
  readonly exitCode: number
  /** All lines of the service's own container, stdout and stderr as they came. */
  readonly output: string
}

/**
 * Runs a command in a service's container, with the services it depends on, each in a fresh container, on a network of
 * their own on which they find each other by name. Everything is removed at the end.
 * @throws the reason of `signal` once that is aborted
 */
export async function runJob(job: Job): Promise<JobEnd> {
  const { dockerode: docker } = (await getContainerRuntimeClient()).container
  const network = await docker.createNetwork({ Name: `codeship-${randomUUID()}` })
  const containers: Container[] = []
  const streams: Promise<unknown>[] = []
  const add = async (service: Service, command?: readonly string[]): Promise<Container> => {
    const container = await docker.createContainer(containerSettings(job, service, network.id, command))
    containers.push(container)
    return container
  }
  try {
    for (const service of startOrder(job.project.services, job.service)) {
      const container = await add(service)
      streams.push((await follow(docker, container, (line) => job.print(line, service.name))).ended)
      await container.start()
      if (!(await becomesHealthy(container, job, service))) return { exitCode: UNHEALTHY, output: '' }
    }
    return await runToItsEnd(docker, await add(job.service, job.command), job)
  } finally {
    await Promise.all(containers.toReversed().map(discard))
    await Promise.all(streams)
    await network.remove()
  }
}

async function runToItsEnd(docker: Docker, container: Container, job: Job): Promise<JobEnd> {
  const lines: string[] = []
  const take = (line: string): void => {
    lines.push(line)
    job.print(line, job.service.name)
  }
  const stop = (): void => void container.kill().catch(() => undefined)
  const { ended } = await follow(docker, container, take)
  try {
    job.signal?.throwIfAborted()
    job.signal?.addEventListener('abort', stop)
    await container.start()
    const { StatusCode: exitCode } = (await container.wait()) as { StatusCode: number }
    await ended
    job.signal?.throwIfAborted()
    return { exitCode, output: lines.join('\n') }
  } catch (error) {
    if (!isRefusedStart(error)) throw error
    take(`cannot be started: ${error.message}`)
    return { exitCode: CANNOT_START, output: lines.join('\n') }
  } finally {
    job.signal?.removeEventListener('abort', stop)
  }
}

function containerSettings(job: Job, service: Service, network: string, command?: readonly string[]): object {
  const aliases = [...job.project.services.values()]
    .flatMap(({ dependencies }) => dependencies)
    .flatMap(({ name, alias }) => (name === service.name && alias !== undefined ? [alias] : []))
  const environment = { ...serviceEnvironment(job.project, service), ...job.variables }
  const { entrypoint, workingDir, user, hostname } = service
  const words = command ?? service.command
  const anonymous = service.volumes.filter(({ host, name }) => host === undefined && name === undefined)
  return {
    Image: job.images.get(service.name),
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    ...(words && { Cmd: words }),
    ...(entrypoint && { Entrypoint: entrypoint }),
    ...(workingDir !== undefined && { WorkingDir: workingDir }),
    ...(user !== undefined && { User: user }),
    ...(hostname !== undefined && { Hostname: hostname }),
    Volumes: Object.fromEntries(anonymous.map(({ container }) => [container, {}])),
    HostConfig: {
      Binds: binds(job.project, service, job.volumePrefix),
      NetworkMode: network,
      ExtraHosts: [
        `${HOST}:host-gateway`,
        ...PAGERDUTY_HOSTS.flatMap((host) => [`${host}:127.0.0.1`, `${host}:::1`]),
      ],
    },
    NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [service.name, ...aliases] } } },
  }
}

/** Passes on a container's output line by line, and resolves at its end. Call it before the container starts. */
async function follow(
  docker: Docker,
  container: Container,
  take: (line: string) => void,
): Promise<{ ended: Promise<unknown> }> {
  const stream = await container.attach({ stream: true, stdout: true, stderr: true })
  const outputs = [new PassThrough(), new PassThrough()] as const
  docker.modem.demuxStream(stream, ...outputs)
  stream.once('end', () => outputs.forEach((output) => output.end()))
  const readers = outputs.map(async (input) => {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) take(line)
  })
  return { ended: Promise.all(readers) }
}

/** Only a Dockerfile's HEALTHCHECK counts; a service without one is ready once it has started. */
async function becomesHealthy(
  container: Container,
  { print, signal }: Job,
  { name }: Service,
): Promise<boolean> {
  const deadline = performance.now() + HEALTH_TIMEOUT_MS
  for (let isFirst = true; ; isFirst = false) {
    const { State } = await container.inspect()
    const health = State.Health?.Status ?? 'none'
    if (health === 'none' || health === 'healthy') return true
    if (health === 'unhealthy' || !State.Running || performance.now() > deadline) {
      print('did not become healthy', name)
      return false
    }
    if (isFirst) print('waiting for it to become healthy', name)
    await sleep(HEALTH_INTERVAL_MS, undefined, { ...(signal && { signal }) })
  }
}

/** Stops and removes a container, whatever its state. */
async function discard(container: Container): Promise<void> {
  // A container that has not started, or has already ended, cannot be stopped.
  await container.stop({ t: STOP_GRACE_S }).catch(() => undefined)
  await container.remove({ force: true, v: true })
}

/** Whether Docker says that the command does not exist or may not be run, which is the step's failure. */
function isRefusedStart(error: unknown): error is Error {
  return (
    error instanceof Error && 'statusCode' in error && (error.statusCode === 400 || error.statusCode === 404)
  )
}
