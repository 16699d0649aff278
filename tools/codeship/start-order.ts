import type { Service } from './services.ts'
import { refuse } from './yaml.ts'

/**
 * The services that must run before another one, in the order in which to start them.
 * @throws Failure with file and line if the service or one of them cannot run here, does not exist, or needs itself
 */
export function startOrder(services: ReadonlyMap<string, Service>, service: Service): Service[] {
  const order = new Set<Service>()
  const add = (current: Service, path: readonly string[]): void => {
    const names = [...path, current.name]
    if (path.includes(current.name))
      refuse(current, `${names.join(' needs ')}: the services depend on each other in a circle`)
    const [problem] = current.problems
    if (problem !== undefined) throw problem
    for (const { name } of current.dependencies) {
      add(
        services.get(name) ?? refuse(current, `${current.name} needs ${name}, which is not in the file`),
        names,
      )
    }
    order.add(current)
  }
  add(service, [])
  order.delete(service)
  return [...order]
}
