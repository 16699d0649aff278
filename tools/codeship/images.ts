import { resolve } from 'node:path'
import { Failure } from '../../src/core/failure.ts'
import { docker } from '../../test/support/docker.ts'
import { buildArguments, type Project } from './project.ts'
import type { Service } from './services.ts'
import { fillTemplate } from './template.ts'

/** How to build images. */
export interface ImageOptions {
  readonly variables: Readonly<Record<string, string>>
  /** More arguments for every `docker build`, such as those of `baseImageArgs`. */
  readonly buildOptions?: readonly string[] | undefined
  readonly print: (line: string, service: string) => void
}

/**
 * Builds or pulls the images of services, one after the other. An image that exists is not pulled again.
 * @returns the image of each service
 * @throws Failure of kind `config` with Docker's words if that fails
 */
export async function makeImages(
  project: Project,
  services: Iterable<Service>,
  options: ImageOptions,
): Promise<ReadonlyMap<string, string>> {
  const images = new Map<string, string>()
  for (const service of services) {
    options.print('build/pull started', service.name)
    images.set(service.name, await makeImage(project, service, options))
    options.print('build/pull finished successfully', service.name)
  }
  return images
}

async function makeImage(
  project: Project,
  service: Service,
  { variables, buildOptions = [] }: ImageOptions,
): Promise<string> {
  const { image } = service
  if (typeof image === 'string') {
    const isHere = await docker(['image', 'inspect', image]).then(
      () => true,
      () => false,
    )
    if (!isHere)
      await docker(['pull', '--quiet', image]).catch((cause: unknown) => {
        throw unavailable(
          `${service.name}: the image ${image} is not on this machine and cannot be pulled`,
          cause,
        )
      })
    return image
  }
  const context = resolve(project.folder, image.context)
  const args = Object.entries(buildArguments(project, service, image)).map(
    ([name, value]) => [name, fillTemplate(value, variables)] as const,
  )
  const words = ['build', '--quiet', '--file', resolve(context, image.dockerfile), ...buildOptions]
  // Docker takes an argument without a value from its environment, which other users of the machine cannot see.
  const named = args.flatMap(([name]) => ['--build-arg', name])
  const building = docker([...words, ...named, context], '', Object.fromEntries(args))
  const id = await building.catch((cause: unknown) => {
    throw unavailable(`${service.name}: the image cannot be built from ${image.dockerfile}`, cause)
  })
  return id.trim()
}

/** How many of the last lines of a build's log a message shows. */
const SHOWN_LINES = 20

/** A Failure that says what is wrong with an image, and what Docker said. */
function unavailable(what: string, cause: unknown): Failure {
  const stderr = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : String(cause)
  const words = stderr.trim().split('\n').slice(-SHOWN_LINES).join('\n')
  return new Failure('config', `${what}:\n${words}`, { cause })
}
