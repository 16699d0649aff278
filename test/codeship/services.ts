import { isAbsolute, normalize } from 'node:path'
import { asList, asMap, asText, pairsOf, textOf, textsOf } from './fields.ts'
import { splitWords } from './words.ts'
import { refuse, type Fields, type Value, type YamlFile } from './yaml.ts'

/** How a service's image comes to be. Paths are relative to the services file. */
export interface ImageBuild {
  readonly context: string
  /** Relative to the context. */
  readonly dockerfile: string
  /** Values may hold Go templates: `{{ .Branch }}`. */
  readonly args: Readonly<Record<string, string>>
  /** Encrypted lines of `KEY=value`, in place. */
  readonly encryptedArgs?: string
  /** File of encrypted lines of `KEY=value`. */
  readonly encryptedArgsFile?: string
}

/** A part of a container's file system that is the machine's (`host`, relative to the services file) or its own. */
export interface Volume {
  readonly host?: string
  readonly container: string
  readonly readOnly: boolean
  readonly where: string
}

/** A service of `codeship-services.yml`. */
export interface Service {
  readonly name: string
  readonly image: string | ImageBuild
  readonly environment: Readonly<Record<string, string>>
  readonly envFiles: readonly string[]
  readonly encryptedEnvFiles: readonly string[]
  readonly volumes: readonly Volume[]
  /** What is started before it, in order, and by which further name it is reached. */
  readonly dependencies: readonly { readonly name: string; readonly alias?: string }[]
  readonly entrypoint?: readonly string[]
  /** What it runs where it is no step's own service. */
  readonly command?: readonly string[]
  readonly workingDir?: string
  readonly user?: string
  readonly hostname?: string
}

/** The services by name, and what was left aside. */
export interface Services {
  readonly byName: ReadonlyMap<string, Service>
  readonly notices: readonly string[]
}

/** Without effect where images stay on one machine, or taken from that machine's own Docker. */
const WITHOUT_EFFECT = ['cached', 'default_cache_branch', 'encrypted_dockercfg_path', 'dockercfg_service']
const REFUSED: Readonly<Record<string, string>> = {
  add_docker: 'is not given here: it would hand this machine’s Docker to the step',
  volumes_from: 'is not supported here; mount a folder of the repository with volumes',
  encrypted_environment: 'is not supported here; use encrypted_env_file',
}
const KNOWN = new Set([
  ...WITHOUT_EFFECT,
  ...'image build dockerfile environment env_file encrypted_env_file volumes depends_on links'.split(' '),
  ...'entrypoint command working_dir user hostname'.split(' '),
])

/**
 * Reads `codeship-services.yml`: services at the top level or under `services`. As with Codeship, keys that it does not
 * know are left aside; each gives a notice.
 * Source: Codeship's documentation, "Services".
 * @throws Failure of kind `usage` with file and line
 */
export function readServices({ root, notices: found }: YamlFile): Services {
  const top = asMap(root, 'the file')
  const nested = top.entries.get('services')
  const notices = [...found]
  const definitions = nested === undefined ? top : asMap(nested, 'services')
  const isService = (name: string): boolean => nested !== undefined || name !== 'version'
  const entries = [...definitions.entries].filter(([name]) => isService(name))
  const byName = new Map(
    entries.map(([name, value]) => [name, readService(name, asMap(value, `the service ${name}`), notices)]),
  )
  for (const [name, value] of entries) checkDependencies(byName, name, value)
  return { byName, notices }
}

function readService(name: string, fields: Fields, notices: string[]): Service {
  for (const [key, value] of fields.entries) {
    const reason = REFUSED[key]
    const isOff = value.kind === 'text' && value.text === 'false'
    if (reason !== undefined && !isOff) refuse(value, `${key} ${reason}`)
    if (reason === undefined && !KNOWN.has(key))
      notices.push(`${value.where}: ${key} has no effect on Codeship`)
  }
  const [entrypoint, command] = [commandOf(fields, 'entrypoint'), commandOf(fields, 'command')]
  const [workingDir, user, hostname] = ['working_dir', 'user', 'hostname'].map((key) => textOf(fields, key))
  return {
    name,
    image: readImage(name, fields),
    environment: pairsOf(fields, 'environment'),
    envFiles: textsOf(fields, 'env_file'),
    encryptedEnvFiles: textsOf(fields, 'encrypted_env_file'),
    volumes: itemsOf(fields, 'volumes').map(readVolume),
    dependencies: [
      ...itemsOf(fields, 'depends_on').map((item) => ({ name: asText(item, 'a dependency') })),
      ...itemsOf(fields, 'links').map(readLink),
    ],
    ...(entrypoint && { entrypoint }),
    ...(command && { command }),
    ...(workingDir !== undefined && { workingDir }),
    ...(user !== undefined && { user }),
    ...(hostname !== undefined && { hostname }),
  }
}

function readImage(name: string, fields: Fields): string | ImageBuild {
  const image = textOf(fields, 'image')
  const build = fields.entries.get('build')
  if (image !== undefined && build !== undefined)
    return refuse(build, `the service ${name} has both image and build; it takes one of them`)
  if (image !== undefined) return image
  if (build === undefined) return refuse(fields, `the service ${name} has neither image nor build`)
  if (build.kind === 'text') {
    const dockerfile = textOf(fields, 'dockerfile') ?? 'Dockerfile'
    return { context: asText(build, 'build'), dockerfile, args: {} }
  }
  const map = asMap(build, 'build')
  const [encryptedArgs, encryptedArgsFile] = [
    textOf(map, 'encrypted_args'),
    textOf(map, 'encrypted_args_file'),
  ]
  return {
    context: textOf(map, 'context') ?? textOf(map, 'path') ?? '.',
    dockerfile: textOf(map, 'dockerfile') ?? textOf(map, 'dockerfile_path') ?? 'Dockerfile',
    args: pairsOf(map, 'args'),
    ...(encryptedArgs !== undefined && { encryptedArgs }),
    ...(encryptedArgsFile !== undefined && { encryptedArgsFile }),
  }
}

function readVolume(item: Value): Volume {
  const [first = '', second, mode] = asText(item, 'a volume').split(':')
  const { where } = item
  if (second === undefined) return { container: first, readOnly: false, where }
  if (mode !== undefined && mode !== 'ro' && mode !== 'rw')
    refuse(item, 'a volume ends with ro, rw or its path')
  if (isAbsolute(first) || normalize(first).startsWith('..'))
    refuse(item, 'a volume has to be a folder of the repository, such as ./data:/data')
  return { host: first, container: second, readOnly: mode === 'ro', where }
}

function readLink(item: Value): { name: string; alias?: string } {
  const [name = '', alias] = asText(item, 'a link').split(':')
  return alias === undefined ? { name } : { name, alias }
}

function commandOf({ entries }: Fields, key: string): string[] | undefined {
  const value = entries.get(key)
  if (value === undefined) return undefined
  return value.kind === 'list'
    ? value.items.map((item) => asText(item, `a word of ${key}`))
    : splitWords(asText(value, key), value)
}

function itemsOf({ entries }: Fields, key: string): readonly Value[] {
  const value = entries.get(key)
  return value === undefined ? [] : asList(value, key)
}

/** @throws Failure when a service depends on one that does not exist, or on itself by whatever way */
function checkDependencies(services: ReadonlyMap<string, Service>, name: string, place: Value): void {
  const visit = (current: string, path: readonly string[]): void => {
    if (path.includes(current)) refuse(place, `${[...path, current].join(' needs ')}: that is a circle`)
    const service = services.get(current)
    if (service === undefined)
      return refuse(place, `${path.at(-1)} needs ${current}, which is not in the file`)
    for (const dependency of service.dependencies) visit(dependency.name, [...path, current])
  }
  visit(name, [])
}

/** The services that have to run before one, each before those that need it. */
export function startOrder(
  services: ReadonlyMap<string, Service>,
  { name, dependencies }: Service,
): Service[] {
  const order = new Set<Service>()
  const add = (needed: Service): void => {
    for (const { name: below } of needed.dependencies) add(named(services, below))
    order.add(needed)
  }
  for (const dependency of dependencies) add(named(services, dependency.name))
  return [...order].filter((service) => service.name !== name)
}

function named(services: ReadonlyMap<string, Service>, name: string): Service {
  const service = services.get(name)
  if (service === undefined) throw new Error(`no service ${name}`)
  return service
}
