import { storeTrouble } from '../errors.ts'

/** What keeps the spool from being read or written, told when it changes. */
export interface TroubleWatch {
  say(reason: string): void
  clear(): void
  /** What to say of an error. @throws the error, where it is a bug and no trouble of the store */
  explain(error: unknown): void
}

export function createTroubleWatch(onTrouble: (reason: string | undefined) => void): TroubleWatch {
  let current: string | undefined
  const change = (reason: string | undefined): void => {
    if (reason === current) return
    current = reason
    onTrouble(reason)
  }
  return {
    say: change,
    clear: () => change(undefined),
    explain: (error) => {
      const trouble = storeTrouble(error)
      if (trouble === undefined) throw error
      change(trouble.reason)
    },
  }
}
