import { median } from './statistics.ts'

/**
 * Several runs as one: lists of numbers, which are rounds, are joined, any other number is the median of the runs, and
 * objects in lists belong together if they have the same name or size. What a run lacks comes from the others.
 * @param runs at least one
 */
export function mergeRuns<T>(runs: readonly T[]): T {
  return merge(runs) as T
}

function merge(all: readonly unknown[]): unknown {
  const values = all.filter((value) => value !== undefined)
  const [first] = values
  if (typeof first === 'number') return median(values as number[])
  if (Array.isArray(first)) return mergeLists(values as unknown[][])
  if (typeof first !== 'object' || first === null || first instanceof Date) return first
  const objects = values as Record<string, unknown>[]
  const names = new Set(objects.flatMap((value) => Object.keys(value)))
  return Object.fromEntries([...names].map((name) => [name, merge(objects.map((value) => value[name]))]))
}

function mergeLists(lists: readonly (readonly unknown[])[]): unknown[] {
  const items = lists.flat()
  if (items.every((item) => typeof item === 'number')) return items
  const groups = Map.groupBy(items, identityOf)
  return [...groups.values()].map(merge)
}

/** What an item of a list is known by in every run. */
function identityOf(item: unknown): unknown {
  const { name, title, size } = item as { name?: unknown; title?: unknown; size?: unknown }
  return name ?? title ?? size ?? item
}
