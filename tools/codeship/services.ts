import { isAbsolute, normalize } from 'node:path'
import { Failure } from '../../src/core/failure.ts'
import { asList, asMap, asText, pairsOf, textOf, textsOf, valueOf, type Pairs } from './fields.ts'
import { splitWords } from './words.ts'
import { refuse, type Fields, type Value, type YamlFile } from './yaml.ts'

/** How to get a service's image. Paths are relative to the services file. */
export interface ImageBuild {
  readonly context: string
  /** Relative to the context. */
  readonly dockerfile: string
  /** Values may hold Go templates: `{{ .Branch }}`. */
  readonly args: Pairs
  /** Encrypted lines of `KEY=value`, in place. */
  readonly encryptedArgs?: string
  /** File of encrypted lines of `KEY=value`. */
  readonly encryptedArgsFile?: string
}

/** A volume: a folder of this machine, one that the build's containers share, or the container's own. */
export interface Volume {
  /** A folder of the machine, relative to the services file. */
  readonly host?: string
  /** A named volume, which lasts as long as the build. */
  readonly name?: string
  readonly container: string
  readonly readOnly: boolean
  readonly where: string
}

/** A service of `codeship-services.yml`. */
export interface Service {
  readonly name: string
  readonly image: string | ImageBuild
  readonly environment: Pairs
  readonly envFiles: readonly string[]
  readonly encryptedEnvFiles: readonly string[]
  readonly volumes: readonly Volume[]
  /** The services to start before it, in order, and another name by which to reach each. */
  readonly dependencies: readonly { readonly name: string; readonly alias?: string }[]
  readonly entrypoint?: readonly string[]
  /** What it runs if it is only a dependency of a step's service. */
  readonly command?: readonly string[]
  readonly workingDir?: string
  readonly user?: string
  readonly hostname?: string
  /** File and line. */
  readonly where: string
  /** Why it cannot run here. That does not matter to a build that does not need the service. */
  readonly problems: readonly Failure[]
}

/** The services by name, and notices about what is ignored. */
export interface Services {
  readonly byName: ReadonlyMap<string, Service>
  readonly notices: readonly string[]
}

/** Keys that have no effect if images stay on one machine, or whose values come from that machine's Docker. */
const WITHOUT_EFFECT = ['cached', 'default_cache_branch', 'encrypted_dockercfg_path', 'dockercfg_service']
const REFUSED: Readonly<Record<string, string>> = {
  add_docker: 'is not supported here: it would hand this machine’s Docker to the step',
  volumes_from: 'is not supported here; mount a folder of the repository with volumes',
  encrypted_environment: 'is not supported here; use encrypted_env_file',
}
const KNOWN = new Set([
  ...WITHOUT_EFFECT,
  ...'image build dockerfile environment env_file encrypted_env_file volumes depends_on links'.split(' '),
  ...'entrypoint command working_dir user hostname'.split(' '),
])
const KNOWN_IN_BUILD = new Set(
  'image context path dockerfile dockerfile_path args encrypted_args encrypted_args_file'.split(' '),
)
/** Keys that may be next to the services in a file without `services`, as in Docker Compose. */
const TOP_LEVEL = ['version', 'volumes', 'networks', 'configs', 'secrets', 'name']

/**
 * Reads `codeship-services.yml`: services at the top level or under `services`. As with Codeship, keys that it does not
 * know are ignored, with a notice. `x-…` has what anchors refer to. A mistake in a service is stored with
 * it, since this build may not need it.
 * Source: Codeship's documentation, "Services".
 * @throws Failure of kind `usage` with file and line if the file as a whole cannot be read
 */
export function readServices({ root, notices: found }: YamlFile): Services {
  const top = asMap(root, 'the file')
  const nested = top.entries.get('services')
  const notices = [...found]
  const definitions = nested === undefined ? top : asMap(nested, 'services')
  const isService = (name: string): boolean => nested !== undefined || !TOP_LEVEL.includes(name)
  const entries = [...definitions.entries].filter(([name]) => isService(name) && !isExtension(name))
  return {
    byName: new Map(entries.map(([name, value]) => [name, readService(name, value, notices)])),
    notices,
  }
}

/** True for a key that only has what anchors refer to, which Docker Compose ignores silently. */
export function isExtension(key: string): boolean {
  return key.startsWith('x-')
}

function readService(name: string, value: Value, notices: string[]): Service {
  const problems: Failure[] = []
  const attempt = <T>(read: () => T, otherwise: T): T => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      problems.push(error)
      return otherwise
    }
  }
  const none: Fields = { kind: 'map', where: value.where, entries: new Map() }
  const fields = attempt(() => asMap(value, `the service ${name}`), none)
  for (const [key, member] of fields.entries) {
    const reason = REFUSED[key]
    const isOff = member.kind === 'text' && (member.isNull || member.text === 'false')
    if (reason !== undefined && !isOff) attempt(() => refuse(member, `${key} ${reason}`), undefined)
    if (reason === undefined && !KNOWN.has(key) && !isExtension(key))
      notices.push(`${member.where}: ${key} has no effect on Codeship`)
  }
  const words = (key: string): string[] | undefined => attempt(() => commandOf(fields, key), undefined)
  const text = (key: string): string | undefined => attempt(() => textOf(fields, key), undefined)
  const [entrypoint, command] = [words('entrypoint'), words('command')]
  const [workingDir, user, hostname] = [text('working_dir'), text('user'), text('hostname')]
  return {
    name,
    where: value.where,
    image: fields === none ? '' : attempt(() => readImage(name, fields, notices), ''),
    environment: attempt(() => pairsOf(fields, 'environment'), {}),
    envFiles: attempt(() => textsOf(fields, 'env_file'), []),
    encryptedEnvFiles: attempt(() => textsOf(fields, 'encrypted_env_file'), []),
    volumes: attempt(() => itemsOf(fields, 'volumes').map(readVolume), []),
    dependencies: [
      ...attempt(() => dependenciesOf(fields), []),
      ...attempt(() => itemsOf(fields, 'links').map(readLink), []),
    ],
    ...(entrypoint && { entrypoint }),
    ...(command && { command }),
    ...(workingDir !== undefined && { workingDir }),
    ...(user !== undefined && { user }),
    ...(hostname !== undefined && { hostname }),
    problems,
  }
}

function readImage(name: string, fields: Fields, notices: string[]): string | ImageBuild {
  const image = textOf(fields, 'image')
  const build = valueOf(fields, 'build')
  if (image !== undefined && build !== undefined)
    return refuse(build, `the service ${name} has both image and build; it takes one of them`)
  if (image !== undefined) return image
  if (build === undefined) return refuse(fields, `the service ${name} has neither image nor build`)
  if (build.kind === 'text') {
    const dockerfile = textOf(fields, 'dockerfile') ?? 'Dockerfile'
    return { context: asText(build, 'build'), dockerfile, args: {} }
  }
  const map = asMap(build, 'build')
  for (const [key, { where }] of map.entries)
    if (!KNOWN_IN_BUILD.has(key) && !isExtension(key))
      notices.push(`${where}: ${key} has no effect on Codeship`)
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
  if (item.kind === 'map') return readLongVolume(item)
  const [first = '', second, mode] = asText(item, 'a volume').split(':')
  const { where } = item
  if (second === undefined) return { container: first, readOnly: false, where }
  const modes = mode?.split(',') ?? []
  return placeVolume(item, { source: first, container: second, readOnly: modes.includes('ro') })
}

/** Docker Compose's long form. */
function readLongVolume(item: Fields): Volume {
  const container = textOf(item, 'target') ?? refuse(item, 'a volume needs a target')
  const source = textOf(item, 'source')
  const readOnly = textOf(item, 'read_only') === 'true'
  if (source === undefined) return { container, readOnly, where: item.where }
  return placeVolume(item, { source, container, readOnly })
}

/** As in Docker Compose, a source is a folder if it looks like a path, and the name of a volume if not. */
function placeVolume(
  item: Value,
  { source, container, readOnly }: { source: string; container: string; readOnly: boolean },
): Volume {
  const { where } = item
  if (!/^[.~]|[/\\]/.test(source)) return { name: source, container, readOnly, where }
  if (isAbsolute(source) || source.startsWith('~') || normalize(source).startsWith('..'))
    refuse(item, 'a volume must be a folder of the repository, such as ./data:/data')
  return { host: source, container, readOnly, where }
}

/** A list, or Docker Compose's map of names to conditions. Codeship waits for the health check of all of them. */
function dependenciesOf(fields: Fields): { name: string }[] {
  const value = valueOf(fields, 'depends_on')
  if (value?.kind === 'map') return [...value.entries.keys()].map((name) => ({ name }))
  return itemsOf(fields, 'depends_on').map((item) => ({ name: asText(item, 'a dependency') }))
}

function readLink(item: Value): { name: string; alias?: string } {
  const [name = '', alias] = asText(item, 'a link').split(':')
  return alias === undefined ? { name } : { name, alias }
}

function commandOf(fields: Fields, key: string): string[] | undefined {
  const value = valueOf(fields, key)
  if (value === undefined) return undefined
  return value.kind === 'list'
    ? value.items.map((item) => asText(item, `a word of ${key}`))
    : splitWords(asText(value, key), value)
}

function itemsOf(fields: Fields, key: string): readonly Value[] {
  const value = valueOf(fields, key)
  return value === undefined ? [] : asList(value, key)
}
