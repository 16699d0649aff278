import { storeProblem } from '../errors.ts'

/** Remembers whether the spool can be read and written, and reports each change. */
export interface StoreHealth {
  failed(reason: string): void
  recovered(): void
  /** Reports an error of the store. @throws the error if it is a bug and not the store's */
  failedWith(error: unknown): void
}

/** The health of a store that works. @param onChange gets the reason, or undefined when the store works again */
export function createStoreHealth(onChange: (reason: string | undefined) => void): StoreHealth {
  let current: string | undefined
  const change = (reason: string | undefined): void => {
    if (reason === current) return
    current = reason
    onChange(reason)
  }
  return {
    failed: change,
    recovered: () => change(undefined),
    failedWith: (error) => {
      const problem = storeProblem(error)
      if (problem === undefined) throw error
      change(problem.reason)
    },
  }
}
