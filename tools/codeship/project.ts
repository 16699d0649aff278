import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { Environment } from '../../src/core/build.ts'
import { Failure } from '../../src/core/failure.ts'
import { decryptText, parseEncryptionKey } from './encryption.ts'
import { parseEnvFile } from './env-file.ts'
import type { Pairs } from './fields.ts'
import { readServices, type ImageBuild, type Service } from './services.ts'
import { readSteps, type Step } from './steps.ts'
import { parseYaml, type YamlFile } from './yaml.ts'

/** A repository as Codeship sees it. */
export interface Project {
  readonly folder: string
  readonly services: ReadonlyMap<string, Service>
  readonly steps: readonly Step[]
  /** Parts of its files that have no effect. */
  readonly notices: readonly string[]
  /** The path of its key. */
  readonly keyPath: string
  /** The environment of this machine, for variables without a value in the files. */
  readonly machine: Environment
}

/**
 * Reads the Codeship files of a folder.
 * @param keyPath the path of the AES key, relative to the folder; read only if something is encrypted
 * @throws Failure of kind `usage` with file and line, or of kind `config` for a file that is missing
 */
export function readProject(folder: string, keyPath = 'codeship.aes', machine: Environment = {}): Project {
  const services = readServices(readFirst(folder, ['codeship-services.yml', 'docker-compose.yml']))
  const { steps, notices } = readSteps(
    readFirst(folder, ['codeship-steps.yml', 'codeship-steps.json']),
    services.byName,
  )
  return {
    folder,
    services: services.byName,
    steps,
    notices: [...services.notices, ...notices],
    keyPath,
    machine,
  }
}

/**
 * The environment that a service's files give it. Later wins: `environment`, `env_file`, `encrypted_env_file`
 * (Codeship's documentation, "Environment variables").
 * @throws Failure of kind `config` for a file that is missing, or that the key does not decrypt
 */
export function serviceEnvironment(project: Project, service: Service): Record<string, string> {
  return Object.assign(
    resolvePairs(service.environment, project.machine),
    ...service.envFiles.map((file) => parseEnvFile(file, readText(project.folder, file))),
    ...service.encryptedEnvFiles.map((file) => readEncrypted(project, file)),
  ) as Record<string, string>
}

/** The build arguments of a service's image, encrypted ones included. @throws like {@link serviceEnvironment} */
export function buildArguments(
  project: Project,
  service: Service,
  build: ImageBuild,
): Record<string, string> {
  const { encryptedArgs, encryptedArgsFile } = build
  return {
    ...resolvePairs(build.args, project.machine),
    ...(encryptedArgs && decryptPairs(project, `encrypted_args of ${service.name}`, encryptedArgs)),
    ...(encryptedArgsFile && readEncrypted(project, encryptedArgsFile)),
  }
}

/** The pairs with a value, and those without whose value is in this machine's environment. */
function resolvePairs(pairs: Pairs, machine: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(pairs).flatMap(([name, written]): [string, string][] => {
      const value = written ?? machine[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/**
 * A service's volumes in Docker's words.
 * @param prefix a prefix for the names of named volumes, so that no two builds share one
 * @throws Failure of kind `config` for a folder that does not exist: Codeship does not create it either
 */
export function binds({ folder }: Project, { volumes }: Service, prefix: string): string[] {
  return volumes.flatMap(({ host, name, container, readOnly, where }) => {
    if (name !== undefined) return [`${prefix}${name}:${container}${readOnly ? ':ro' : ''}`]
    if (host === undefined) return []
    const path = resolve(folder, host)
    if (!existsSync(path)) throw new Failure('config', `${where}: ${host} does not exist; create it first`)
    return [`${path}:${container}${readOnly ? ':ro' : ''}`]
  })
}

function readEncrypted(project: Project, file: string): Record<string, string> {
  return decryptPairs(project, file, readText(project.folder, file))
}

function decryptPairs({ folder, keyPath }: Project, file: string, text: string): Record<string, string> {
  const key = parseEncryptionKey(keyPath, readText(folder, keyPath))
  return parseEnvFile(file, decryptText(file, text, key))
}

function readFirst(folder: string, names: readonly string[]): YamlFile {
  const name = names.find((candidate) => existsSync(join(folder, candidate)))
  if (name === undefined) throw new Failure('config', `${folder} has no ${names.join(' or ')}`)
  return parseYaml(name, readText(folder, name))
}

function readText(folder: string, file: string): string {
  const path = resolve(folder, file)
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true
  if (!isFile) throw new Failure('config', `${relative(folder, path)}: there is no such file in ${folder}`)
  return readFileSync(path, 'utf8')
}
