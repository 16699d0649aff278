import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { skipBecause, skipWithout } from './required.ts'

const run = promisify(execFile)
const ROOT = new URL('../../', import.meta.url)
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024
/** How often a build may meet an image that is just being removed. */
const MAX_TRIES = 10

/** The image that `scripts/local-base-image.sh` builds if no registry can be reached. */
const STAND_IN = 'pagerduty-alert-base:local'

/**
 * Runs the Docker command line from the top of the repository.
 * @param env further variables for it, such as build arguments that no command line should show
 * @returns what it wrote to stdout
 * @throws with what it wrote to stderr when it fails
 */
export async function docker(
  args: readonly string[],
  stdin = '',
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const options = { cwd: fileURLToPath(ROOT), maxBuffer: MAX_OUTPUT_BYTES, env: { ...process.env, ...env } }
  for (let tries = 1; ; tries++) {
    const running = run('docker', args, options)
    running.child.stdin?.on('error', () => undefined) // it may end without reading it
    running.child.stdin?.end(stdin)
    try {
      return (await running).stdout
    } catch (error) {
      if (tries === MAX_TRIES || !(error instanceof Error) || !lostCachedImage(error.message)) throw error
    }
  }
}

/**
 * Whether a build failed only because another process removed an image while Docker looked through the images that it
 * might build on. Docker without BuildKit reads them one by one and gives up at the first that is gone.
 */
function lostCachedImage(message: string): boolean {
  return /^unable to find image "sha256:/m.test(message)
}

/**
 * Why tests that need Docker and the base image are skipped here; `false` if nothing is missing.
 * @throws instead of returning a reason, with REQUIRE_ALL=1
 */
export async function skipWithoutDocker(): Promise<string | false> {
  const reason = skipWithout('docker')
  if (reason !== false || (await findBaseImage()) !== undefined) return reason
  return skipBecause('a base image: run scripts/local-base-image.sh as root, since none can be pulled')
}

/** Arguments of `docker build` that name the base image, if it is not the one in the Dockerfile. */
export async function baseImageArgs(): Promise<string[]> {
  const image = await findBaseImage()
  return image === undefined ? [] : ['--build-arg', `NODE_IMAGE=${image}`]
}

/** The base image to build on: the one asked for, the Dockerfile's own, or the stand-in. */
async function findBaseImage(): Promise<string | undefined> {
  const asked = process.env['PAGERDUTY_ALERT_NODE_IMAGE']
  if (asked !== undefined && asked !== '') return asked
  const dockerfile = await readFile(new URL('Dockerfile', ROOT), 'utf8')
  const own = /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile)?.[1] ?? ''
  if (await succeeds(['image', 'inspect', own])) return own
  if (await succeeds(['image', 'inspect', STAND_IN])) return STAND_IN
  return (await succeeds(['pull', '--quiet', own])) ? own : undefined
}

async function succeeds(args: readonly string[]): Promise<boolean> {
  return await docker(args).then(
    () => true,
    () => false,
  )
}

/** Images that the tests remove, and whose names do not matter. */
export interface DisposableImages {
  /** Further words for `docker build`. */
  readonly buildOptions: readonly string[]
  /** Removes all that was built with them, as far as no container has it. */
  readonly remove: () => Promise<void>
}

/** A mark for images of one test file alone, so that others that run beside it keep theirs. */
export function disposableImages(): DisposableImages {
  const label = `disposable=${randomUUID()}`
  return {
    buildOptions: ['--label', label],
    remove: async () => {
      const ids = await docker(['images', '--quiet', '--no-trunc', '--filter', `label=${label}`])
      const distinct = new Set(ids.split('\n').filter(Boolean))
      if (distinct.size > 0) await docker(['rmi', '--force', ...distinct])
    },
  }
}
