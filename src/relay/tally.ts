import { Counter, type Registry } from 'prom-client'

export interface TallyOptions<Label extends string> {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly Label[]
  readonly registers: Registry[]
}

/** Counts one thing, by the values of its labels in their order. */
export type Tally = (count: number, ...values: readonly string[]) => void

/**
 * A counter that adds up by itself and tells its registry when that is read: to prom-client's own each count is an object
 * of labels, which it checks, sorts and joins, several of them for every event.
 */
export function createTally<Label extends string>({ labelNames, ...options }: TallyOptions<Label>): Tally {
  const series = new Map<string, { readonly values: readonly string[]; count: number }>()
  const counter: Counter<Label> = new Counter({
    ...options,
    labelNames,
    collect: () => {
      counter.reset()
      for (const { values, count } of series.values()) counter.labels(...values).inc(count)
    },
  })
  return (count, ...values) => {
    const name = values.join(' ')
    const known = series.get(name)
    if (known === undefined) series.set(name, { values, count })
    else known.count += count
  }
}
