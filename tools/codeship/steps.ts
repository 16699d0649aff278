import { createHash } from 'node:crypto'
import { Failure } from '../../src/core/failure.ts'
import { asList, asMap, asText, textOf, textsOf, valueOf } from './fields.ts'
import { isExtension, type Service } from './services.ts'
import type { TagFilter } from './tag.ts'
import { splitWords } from './words.ts'
import { refuse, type Fields, type YamlFile } from './yaml.ts'

interface Named extends TagFilter {
  readonly name: string
}

/** A command in a service's container. */
export interface RunStep extends Named {
  readonly type: 'run'
  readonly service: Service
  readonly command: readonly string[]
  readonly onFail: readonly Handler[]
}

/** A handler, which runs in a failed step's service. */
export interface Handler {
  readonly name: string
  readonly command: readonly string[]
}

/** Pushes an image, which only Codeship does. */
export interface PushStep extends Named {
  readonly type: 'push'
}

/** Several steps: one after the other, in parallel, or only after somebody has approved them. */
export interface GroupStep extends Named {
  readonly type: 'serial' | 'parallel' | 'manual'
  readonly steps: readonly Step[]
  readonly onFail: readonly Handler[]
}

/** A step that cannot run. That does not matter to a build whose tag skips it. */
export interface UnreadableStep extends Named {
  readonly type: 'unreadable'
  readonly failure: Failure
}

/** A step of `codeship-steps.yml`. */
export type Step = RunStep | PushStep | GroupStep | UnreadableStep

/** The steps in order, and notices about what is ignored. */
export interface Steps {
  readonly steps: readonly Step[]
  readonly notices: readonly string[]
}

interface Scope {
  readonly services: ReadonlyMap<string, Service>
  /** Where each name was used first. */
  readonly names: Map<string, string>
  readonly notices: string[]
  /** The service that a group gives to its steps. */
  readonly inherited?: Service
}

const TYPES = ['run', 'serial', 'parallel', 'manual', 'push']
/** An old form of a group that runs its steps in several services. Undocumented, but still in use. */
const MATRIX = 'matrix'
const KNOWN = new Set([
  ...'name tag exclude service services command type steps on_fail'.split(' '),
  ...'image_name image_tag registry encrypted_dockercfg_path dockercfg_service'.split(' '),
])

/**
 * Reads `codeship-steps.yml`, a list of steps. Source: Codeship's documentation, "Steps".
 * @throws Failure of kind `usage` with file and line
 */
export function readSteps({ root, notices }: YamlFile, services: ReadonlyMap<string, Service>): Steps {
  const scope: Scope = { services, names: new Map(), notices: [...notices] }
  const items = asList(root, 'the file')
  const steps = items.map((item) => readStep(asMap(item, 'a step'), scope))
  for (const [index, step] of steps.entries()) {
    const place = items[index]
    if (step.type === 'manual' && index < steps.length - 1 && place)
      refuse(place, 'a manual step must be the last one')
  }
  return { steps, notices: [...new Set(scope.notices)] }
}

function readStep(fields: Fields, scope: Scope): Step {
  for (const [key, value] of fields.entries)
    if (!KNOWN.has(key) && !isExtension(key))
      scope.notices.push(`${value.where}: ${key} has no effect on Codeship`)
  // A mistake here is a mistake in the whole file, since it decides which builds the step belongs to.
  const named = readName(fields, scope, `step at ${fields.where}`)
  try {
    return readKnownStep(fields, scope)
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure
    return { type: 'unreadable', ...named, failure }
  }
}

function readKnownStep(fields: Fields, scope: Scope): Step {
  const type = textOf(fields, 'type')
  const isGroup = fields.entries.has('steps')
  if (type === undefined || type === 'run')
    return isGroup ? readGroup(fields, 'serial', scope) : readRun(fields, scope)
  if (type === 'push') return { type, ...readName(fields, scope, textOf(fields, 'image_name') ?? 'push') }
  if (type === MATRIX) return readGroup(fields, 'parallel', scope)
  if (type === 'serial' || type === 'parallel' || type === 'manual') return readGroup(fields, type, scope)
  return refuse(fields, `${type} is not a type of step; expected one of ${TYPES.join(', ')}`)
}

function readRun(fields: Fields, scope: Scope): Step {
  const command = commandOf(fields)
  const services = servicesOf(fields, scope)
  if (services.length === 0) return refuse(fields, 'a step needs a service')
  const steps = services.map((service): RunStep => {
    const named = readName(fields, scope, `${service.name}-${shortHash(command.join(' '))}`)
    return { type: 'run', ...named, service, command, onFail: handlersOf(fields, named.name) }
  })
  const [first] = steps
  if (steps.length === 1 && first !== undefined) return first
  return { type: 'serial', ...readName(fields, scope, 'services'), steps, onFail: [] }
}

function readGroup(fields: Fields, type: GroupStep['type'], scope: Scope): GroupStep {
  const named = readName(fields, scope, type)
  const children = valueOf(fields, 'steps')
  if (children === undefined) return refuse(fields, `a ${type} step needs steps`)
  const services = servicesOf(fields, scope)
  const read = (inner: Scope): Step[] =>
    asList(children, 'steps').map((child) => readStep(asMap(child, 'a step'), inner))
  const onFail = handlersOf(fields, named.name)
  if (services.length <= 1)
    return {
      type,
      ...named,
      steps: read({ ...scope, ...(services[0] && { inherited: services[0] }) }),
      onFail,
    }
  // The steps in order, once for each service; in a parallel group the services run in parallel.
  const runs = services.map((inherited): GroupStep => ({
    type: 'serial',
    name: `${named.name} (${inherited.name})`,
    steps: read({ ...scope, inherited }),
    onFail: [],
  }))
  return { type, ...named, steps: runs, onFail }
}

function servicesOf(fields: Fields, { services, inherited }: Scope): Service[] {
  const [one, many] = [valueOf(fields, 'service'), valueOf(fields, 'services')]
  const own = one ?? many
  if (own === undefined) return inherited === undefined ? [] : [inherited]
  if (one !== undefined && many !== undefined) return refuse(many, 'a step has service or services, not both')
  if (inherited !== undefined) return refuse(own, `the group has a service already: ${inherited.name}`)
  return textsOf(fields, one === undefined ? 'services' : 'service').map(
    (name) => services.get(name) ?? refuse(own, `there is no service ${name}`),
  )
}

function commandOf(fields: Fields): string[] {
  const value = valueOf(fields, 'command')
  if (value === undefined) return refuse(fields, 'a step needs a command')
  return splitWords(asText(value, 'command'), value)
}

/**
 * Handlers run in the service of the step that failed. Only a draft of Codeship's documentation let a handler name
 * another one, so a file that does is refused.
 */
function handlersOf(group: Fields, step: string): Handler[] {
  const value = valueOf(group, 'on_fail')
  if (value === undefined) return []
  return asList(value, 'on_fail').map((item, index) => {
    const fields = asMap(item, 'a step of on_fail')
    const service = fields.entries.get('service')
    if (service !== undefined)
      refuse(service, 'on_fail runs in the service of the step that failed; leave service out')
    return { name: textOf(fields, 'name') ?? `${step}, on_fail ${index + 1}`, command: commandOf(fields) }
  })
}

function readName(fields: Fields, { names }: Scope, fallback: string): Named {
  const value = valueOf(fields, 'name')
  const name = value === undefined ? fallback : asText(value, 'name')
  if (value !== undefined) {
    const taken = names.get(name)
    if (taken !== undefined && taken !== value.where)
      refuse(value, `the name ${name} is taken by the step at ${taken}`)
    names.set(name, value.where)
  }
  const [tag, exclude] = [patternsOf(fields, 'tag'), patternsOf(fields, 'exclude')]
  return { name, ...(tag !== undefined && { tag }), ...(exclude !== undefined && { exclude }) }
}

/** One pattern as it is, several as a list. */
function patternsOf(fields: Fields, key: string): string | readonly string[] | undefined {
  return valueOf(fields, key)?.kind === 'list' ? textsOf(fields, key) : textOf(fields, key)
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
