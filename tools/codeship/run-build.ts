import { randomUUID } from 'node:crypto'
import type { Environment } from '../../src/core/build.ts'
import { docker } from '../../test/support/docker.ts'
import { runningSteps, whySkipped, type BuildChoice } from './choose-steps.ts'
import { HOST, runJob } from './containers.ts'
import { makeImages } from './images.ts'
import { readProject, type Project } from './project.ts'
import type { Service } from './services.ts'
import { startOrder } from './start-order.ts'
import type { GroupStep, Handler, RunStep, Step } from './steps.ts'
import { codeshipVariables, readCommit, type Commit } from './variables.ts'

/** What to build, and how. */
export interface BuildOptions {
  /** The folder with `codeship-services.yml` and `codeship-steps.yml`; every path in them is relative to it. */
  readonly folder: string
  /** The branch or git tag to build: it chooses the steps and is `CI_BRANCH`. Default: the folder's. */
  readonly tag?: string | undefined
  /** The commit as Codeship would describe it. Default: the folder's, from Git. */
  readonly commit?: Partial<Commit>
  /** Variables for every container, which override all others, as `jet steps -e KEY=VALUE`. */
  readonly env?: Readonly<Record<string, string>>
  /** Whether somebody has approved the build, so that its manual steps run. */
  readonly approved?: boolean | undefined
  /** The path of the AES key, relative to the folder. Default: `codeship.aes`. */
  readonly keyPath?: string | undefined
  /** This machine's environment, for variables without a value in the files. */
  readonly machine?: Environment
  /** More arguments for every `docker build`, such as those of `baseImageArgs`. */
  readonly buildOptions?: readonly string[]
  /** Called with every line of the log. */
  readonly print?: (line: string) => void
  /** Stops the build: running containers are killed and removed. */
  readonly signal?: AbortSignal
}

/** The result of a step. */
export interface StepResult {
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** Absent if it was skipped. */
  readonly exitCode?: number
  /** Its container's stdout and stderr; blank if it was skipped. */
  readonly output: string
}

/** The result of a build. */
export interface BuildResult {
  readonly passed: boolean
  /** Steps and handlers in the order in which they ended, and groups that were skipped completely. */
  readonly steps: readonly StepResult[]
  /** The whole log. */
  readonly log: string
}

interface Context extends BuildChoice {
  readonly project: Project
  readonly variables: Readonly<Record<string, string>>
  readonly images: ReadonlyMap<string, string>
  readonly volumePrefix: string
  readonly results: StepResult[]
  readonly print: (line: string) => void
  readonly signal: AbortSignal | undefined
}

/**
 * Runs a repository's Codeship files in this machine's Docker as Codeship Pro would: every step in fresh containers of
 * its service and of what that depends on, on a network of their own; with Codeship's variables and the decrypted
 * environment; up to the first step that fails, whose `on_fail` then runs in the same service.
 *
 * Containers reach this machine as `host.docker.internal`, and PagerDuty's own hosts not at all: tell the program where
 * to send with `env: { PAGERDUTY_EVENTS_URL: hostUrl(simulator.port) }` and a simulator that listens on 0.0.0.0.
 *
 * @throws Failure for files that Codeship could not run either, or with Docker's words if there is no image; the
 *   reason of `signal` once that is aborted
 */
export async function runBuild(options: BuildOptions): Promise<BuildResult> {
  const { folder, env = {}, approved = false, keyPath, buildOptions, machine, signal } = options
  const lines: string[] = []
  const print = (line: string): void => {
    lines.push(line)
    options.print?.(line)
  }
  const project = readProject(folder, keyPath, machine)
  for (const notice of project.notices) print(`notice: ${notice}`)
  const known = { ...(await readCommit(folder)), ...options.commit }
  const tag = options.tag ?? known.branch
  const variables = { ...codeshipVariables({ ...known, branch: tag }, approved), ...env }
  const needed = neededServices(project, { tag, approved })
  const images = await makeImages(project, needed, { variables, buildOptions, print: printFor(print) })
  const results: StepResult[] = []
  const volumePrefix = `codeship-${randomUUID()}-`
  const context = { project, tag, approved, variables, images, volumePrefix, results, print, signal }
  try {
    const failed = await runInOrder(project.steps, context)
    print(failed === undefined ? 'build passed' : 'build failed')
    return { passed: failed === undefined, steps: results, log: lines.join('\n') }
  } finally {
    await removeVolumes(needed, volumePrefix)
  }
}

/**
 * The services that the steps of this build run in or depend on.
 * @throws Failure for a step or a service that this build needs and that cannot run here
 */
function neededServices(project: Project, choice: BuildChoice): Set<Service> {
  const running = project.steps.flatMap((step) => runningSteps(step, choice))
  return new Set(running.flatMap(({ service }) => [...startOrder(project.services, service), service]))
}

async function removeVolumes(services: ReadonlySet<Service>, prefix: string): Promise<void> {
  const names = [...services].flatMap(({ volumes }) => volumes.flatMap(({ name }) => name ?? []))
  if (names.length > 0)
    await docker(['volume', 'rm', '--force', ...new Set(names.map((name) => prefix + name))])
}

/** A port of this machine as containers see it. */
export function hostUrl(port: number): string {
  return `http://${HOST}:${port}`
}

/** Runs a step with all that belongs to it; returns the service in which it failed, if it did. */
async function runStep(step: Step, context: Context): Promise<Service | undefined> {
  const reason = whySkipped(step, context)
  if (reason !== undefined || step.type === 'push') return skip(step, reason ?? '', context)
  if (step.type === 'unreadable') throw step.failure
  const failed =
    step.type === 'run' ? await runCommand(step, step.service, context) : await runGroup(step, context)
  if (failed !== undefined) for (const handler of step.onFail) await runCommand(handler, failed, context)
  return failed
}

async function runGroup({ type, steps }: GroupStep, context: Context): Promise<Service | undefined> {
  if (type !== 'parallel') return await runInOrder(steps, context)
  const ends = await Promise.all(steps.map((step) => runStep(step, context)))
  return ends.find((failed) => failed !== undefined)
}

async function runInOrder(steps: readonly Step[], context: Context): Promise<Service | undefined> {
  let failed: Service | undefined
  for (const step of steps) {
    if (failed === undefined) failed = await runStep(step, context)
    else skip(step, 'a step before it failed', context)
  }
  return failed
}

async function runCommand(
  { name, command }: Pick<RunStep | Handler, 'name' | 'command'>,
  service: Service,
  { project, images, variables, volumePrefix, results, print, signal }: Context,
): Promise<Service | undefined> {
  print(`(step: ${name}) started`)
  const job = { project, service, command, images, volumePrefix, variables, print: printFor(print), signal }
  const { exitCode, output } = await runJob(job)
  const passed = exitCode === 0
  print(`(step: ${name}) ${passed ? 'success ✔' : `failed ✗ with exit status ${exitCode}`}`)
  results.push({ name, outcome: passed ? 'passed' : 'failed', exitCode, output })
  return passed ? undefined : service
}

function skip({ name }: Step, reason: string, { print, results }: Context): undefined {
  print(`(step: ${name}) skipped: ${reason}`)
  results.push({ name, outcome: 'skipped', output: '' })
}

function printFor(print: (line: string) => void): (line: string, service: string) => void {
  return (line, service) => print(`(service: ${service}) ${line}`)
}
