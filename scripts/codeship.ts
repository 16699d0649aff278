import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { EXIT_CODE, Failure } from '../src/core/failure.ts'
import { planBuild } from '../tools/codeship/plan.ts'
import { readProject } from '../tools/codeship/project.ts'
import { readCommit } from '../tools/codeship/variables.ts'
import { hostUrl, runBuild, type BuildOptions } from '../tools/codeship/run-build.ts'
import { startSimulator } from '../tools/simulator/simulator.ts'
import { baseImageArgs, docker } from '../test/support/docker.ts'

/*
 * `npm run codeship`: runs a repository's Codeship files in this machine's Docker, as `jet steps` did. Events go to a
 * PagerDuty simulator that it starts, unless PAGERDUTY_EVENTS_URL is given with -e.
 */

const USAGE = `usage: npm run codeship -- [options]

  --tag TAG         the branch or git tag to build (default: the current branch)
  -e, --env K=V     a variable for every container; overrides all others; repeatable
  --plan            only print what would run; needs no Docker
  --approve         also run the manual steps, as if somebody had approved them
  --dir FOLDER      the folder with the Codeship files, relative to where you start npm (default: this repository)
  --key-path FILE   the AES key, relative to FOLDER (default: codeship.aes)

In another project: npm --prefix ../pagerduty-alert run codeship -- --dir . --tag master`

/** npm changes to this repository before it starts a script. */
const OWN_FOLDER = '.'
const NO_BASE_IMAGE =
  '(codeship) the base image is missing and cannot be pulled; sh scripts/local-base-image.sh builds a stand-in'
const FAILED = 1
const INTERRUPTED = 130
const EVENTS_URL = 'PAGERDUTY_EVENTS_URL'

const interruption = new AbortController()
process.once('SIGINT', () => interruption.abort(new Error('interrupted')))
process.once('SIGTERM', () => interruption.abort(new Error('interrupted')))
try {
  process.exitCode = await run()
} catch (error) {
  const isFailure = error instanceof Failure
  if (!isFailure && !interruption.signal.aborted) throw error
  process.stderr.write(`${String(error instanceof Error ? error.message : error)}\n`)
  process.exitCode = isFailure ? EXIT_CODE[error.kind] : INTERRUPTED
}

async function run(): Promise<number> {
  const options = readOptions()
  if (options === undefined) {
    say(USAGE)
    return 0
  }
  if (options.plan) return await printPlan(options)
  await docker(['version']).catch((cause: unknown) => {
    throw new Failure('config', 'no Docker daemon answers here; start Docker, or let this user reach it', {
      cause,
    })
  })
  say(`(codeship) runs the Codeship files of ${resolve(options.folder)}`)
  const buildOptions = await baseImageArgs()
  if (buildOptions.length === 0 && options.folder === OWN_FOLDER) say(NO_BASE_IMAGE)
  const build = { ...options, buildOptions, machine: process.env, print: say, signal: interruption.signal }
  if (options.env[EVENTS_URL] !== undefined) return (await runBuild(build)).passed ? 0 : FAILED
  const simulator = await startSimulator({
    host: '0.0.0.0',
    log: (line) => say(`(PagerDuty simulator) ${line}`),
  })
  try {
    const { passed } = await runBuild({
      ...build,
      env: { ...options.env, [EVENTS_URL]: hostUrl(simulator.port) },
    })
    const { requests, changes, alerts } = simulator
    say(
      `(PagerDuty simulator) ${requests.length} requests, ${changes.length} change events, ${alerts.length} alerts`,
    )
    return passed ? 0 : FAILED
  } finally {
    await simulator.close()
  }
}

type Options = Pick<BuildOptions, 'folder' | 'tag' | 'approved' | 'keyPath'> & {
  readonly env: Record<string, string>
  readonly plan: boolean
}

async function printPlan({ folder, tag, approved = false, keyPath }: Options): Promise<number> {
  const project = readProject(folder, keyPath)
  for (const notice of project.notices) say(`notice: ${notice}`)
  const built = tag ?? (await readCommit(folder)).branch
  for (const line of planBuild(project, { tag: built, approved })) say(line)
  return 0
}

/** @throws Failure of kind `usage` */
function readOptions(): Options | undefined {
  const { tag, env = [], approve, plan = false, dir, 'key-path': keyPath, help } = parse()
  if (help === true) return undefined
  const pairs = env.map((pair) => {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? []
    if (name === undefined || value === undefined)
      throw new Failure('usage', `-e takes KEY=VALUE\n\n${USAGE}`)
    return [name, value]
  })
  return {
    folder: dir === undefined ? OWN_FOLDER : resolve(process.env['INIT_CWD'] ?? '.', dir),
    tag,
    approved: approve,
    plan,
    keyPath,
    env: Object.fromEntries(pairs) as Record<string, string>,
  }
}

function parse() {
  try {
    return parseArgs({
      options: {
        tag: { type: 'string' },
        env: { type: 'string', short: 'e', multiple: true },
        approve: { type: 'boolean' },
        plan: { type: 'boolean' },
        dir: { type: 'string' },
        'key-path': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (cause) {
    throw new Failure('usage', `${cause instanceof Error ? cause.message : ''}\n\n${USAGE}`, { cause })
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
