import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { Failure } from '../../src/core/failure.ts'
import { decryptText, parseEncryptionKey } from './encryption.ts'
import { parseEnvFile } from './env-file.ts'
import { readServices, type ImageBuild, type Service } from './services.ts'
import { readSteps, type Step } from './steps.ts'
import { parseYaml, type YamlFile } from './yaml.ts'

/** A repository as Codeship sees it. */
export interface Project {
  readonly folder: string
  readonly services: ReadonlyMap<string, Service>
  readonly steps: readonly Step[]
  /** What its files hold without effect. */
  readonly notices: readonly string[]
  /** Where its key is. */
  readonly keyPath: string
}

/**
 * Reads the Codeship files of a folder.
 * @param keyPath where the AES key is, relative to the folder; read only when something encrypted is
 * @throws Failure of kind `usage` with file and line, or of kind `config` for a file that is missing
 */
export function readProject(folder: string, keyPath = 'codeship.aes'): Project {
  const services = readServices(readFirst(folder, ['codeship-services.yml', 'docker-compose.yml']))
  const { steps, notices } = readSteps(
    readFirst(folder, ['codeship-steps.yml', 'codeship-steps.json']),
    services.byName,
  )
  return { folder, services: services.byName, steps, notices: [...services.notices, ...notices], keyPath }
}

/**
 * The environment that a service's files give it. Later wins: `environment`, `env_file`, `encrypted_env_file`
 * (Codeship's documentation, "Environment variables").
 * @throws Failure of kind `config` for a file that is missing, or that the key does not decrypt
 */
export function serviceEnvironment(project: Project, service: Service): Record<string, string> {
  return Object.assign(
    { ...service.environment },
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
    ...build.args,
    ...(encryptedArgs && decryptPairs(project, `encrypted_args of ${service.name}`, encryptedArgs)),
    ...(encryptedArgsFile && readEncrypted(project, encryptedArgsFile)),
  }
}

/**
 * A service's volumes in Docker's words.
 * @throws Failure of kind `config` for a folder that does not exist: Codeship does not make it either
 */
export function binds({ folder }: Project, { volumes }: Service): string[] {
  return volumes.flatMap(({ host, container, readOnly, where }) => {
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
